import { accept, reject, WireFields, type Outcome } from '@flowledger/model';

/** `observer.GetFlowsRequest` (hubble note 2.1); filters still encoded. */
export interface GetFlowsRequest {
  /** 0 = no limit. */
  readonly number: bigint;
  readonly first: boolean;
  readonly follow: boolean;
  /** Inclusive bounds, ns since 1970; undefined = open. */
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly whitelist: readonly Uint8Array[];
  readonly blacklist: readonly Uint8Array[];
  /** Paths of `flow.Flow`; empty = everything. */
  readonly fieldMask: readonly string[];
}

/** `observer.GetAgentEventsRequest`, and of debug events. */
export type GetEventsRequest = Pick<GetFlowsRequest, 'number' | 'first' | 'follow' | 'sinceNs' | 'untilNs'>;

const SECOND_NS = 1_000_000_000n;

/** Decodes a `GetFlowsRequest`; rejects malformed bytes. */
export function decodeGetFlows(bytes: Uint8Array): Outcome<GetFlowsRequest> {
  const fields = new WireFields(bytes);
  const mask = fields.message(10);
  const request: GetFlowsRequest = {
    number: fields.uint64(1),
    follow: fields.uint64(3) !== 0n,
    blacklist: fields.bytesList(5),
    whitelist: fields.bytesList(6),
    sinceNs: timeOf(fields.message(7)),
    untilNs: timeOf(fields.message(8)),
    first: fields.uint64(9) !== 0n,
    fieldMask: mask?.texts(1) ?? [],
  };
  if (mask?.bad === true) return reject(mask.reason);
  return fields.bad ? reject(fields.reason) : accept(request);
}

/** Decodes a `GetAgentEventsRequest`; rejects malformed bytes. */
export function decodeGetEvents(bytes: Uint8Array): Outcome<GetEventsRequest> {
  const fields = new WireFields(bytes);
  const request: GetEventsRequest = {
    number: fields.uint64(1),
    follow: fields.uint64(2) !== 0n,
    sinceNs: timeOf(fields.message(7)),
    untilNs: timeOf(fields.message(8)),
    first: fields.uint64(9) !== 0n,
  };
  return fields.bad ? reject(fields.reason) : accept(request);
}

function timeOf(time: WireFields | undefined): bigint | undefined {
  if (time === undefined) return undefined;
  return BigInt.asIntN(64, time.uint64(1)) * SECOND_NS + BigInt(time.int32(2));
}

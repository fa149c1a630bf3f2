import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { WireWriter } from '@flowledger/model';
import { AppError, type ErrorCode } from '@flowledger/platform';
import { writeTime } from '@flowledger/query';
import { MATCHED_EXACT, MATCHED_INFERRED } from '../wire/trailer.js';

/** What a caller asks of an Observer API; filters are encoded `flow.FlowFilter`s. */
export interface ObserveRequest {
  /** 0 = no limit. */
  readonly number: bigint;
  readonly first: boolean;
  readonly follow: boolean;
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly allow: readonly Uint8Array[];
  readonly deny: readonly Uint8Array[];
  /** Paths of `flow.Flow` that are wanted; empty: all. */
  readonly fieldMask: readonly string[];
}

/** How to speak TLS with an Observer API; PEM bytes. */
export interface ObserverClientTls {
  /** Absent: the authorities of the system. */
  readonly ca?: Buffer;
  /** Name that its certificate carries, where it is not the host of the address. */
  readonly serverName?: string;
  /** Our own certificate and its key, for mutual TLS. */
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

/** An Observer API: ours or Hubble's. */
export interface ObserverPlace {
  /** `host:port`. */
  readonly address: string;
  /** Absent: plain text. */
  readonly tls?: ObserverClientTls;
  /** `Bearer …` or `Basic …`; never sent in plain text. */
  readonly authorization?: string;
}

/** How many flows of an answer match as they were sent, and how many only by an inferred name. */
export interface MatchedFlows {
  readonly exact: string;
  readonly inferred: string;
}

/**
 * Encoded `observer.GetFlowsResponse`s of an Observer API; reading slowly slows the server down. Ends when the signal
 * aborts. Throws INVALID_ARGUMENT for what the server refuses, UNAUTHENTICATED and FORBIDDEN for credentials it does not
 * take, and STORE_UNAVAILABLE (retry) when it cannot be reached. A server that matches inferred names says at the end how
 * many of each there were, which `matched` is told.
 */
export async function* observeFlows(
  { address, tls, authorization }: ObserverPlace,
  request: ObserveRequest,
  signal: AbortSignal,
  matched: (flows: MatchedFlows) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const client = openClient(address, tls);
  const metadata = new Metadata();
  if (tls !== undefined && authorization !== undefined) metadata.set('authorization', authorization);
  const stream = client.makeServerStreamRequest(
    '/observer.Observer/GetFlows',
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer): Uint8Array => bytes,
    encodeRequest(request),
    metadata,
  );
  stream.once('status', ({ metadata: trailer }: { readonly metadata: Metadata }) => {
    const [exact] = trailer.get(MATCHED_EXACT);
    const [inferred] = trailer.get(MATCHED_INFERRED);
    if (exact !== undefined && inferred !== undefined)
      matched({ exact: String(exact), inferred: String(inferred) });
  });
  const stop = (): void => stream.cancel();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const bytes of stream) yield bytes as Uint8Array;
  } catch (error) {
    if (!signal.aborted) throw faultOf(address, error as ServiceError);
  } finally {
    signal.removeEventListener('abort', stop);
    stream.cancel();
    client.close();
  }
}

function openClient(address: string, tls: ObserverClientTls | undefined): Client {
  if (tls === undefined) return new Client(address, credentials.createInsecure());
  const secure = credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.certificate ?? null);
  const named = tls.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName };
  return new Client(address, secure, named);
}

function encodeRequest(request: ObserveRequest): Uint8Array {
  const out = new WireWriter(256);
  if (request.number !== 0n) out.uint64Field(1, request.number);
  if (request.follow) out.uint32Field(3, 1);
  for (const filter of request.deny) out.bytesField(5, filter);
  for (const filter of request.allow) out.bytesField(6, filter);
  if (request.sinceNs !== undefined) writeTime(out, 7, request.sinceNs);
  if (request.untilNs !== undefined) writeTime(out, 8, request.untilNs);
  if (request.first) out.uint32Field(9, 1);
  if (request.fieldMask.length > 0) out.bytesField(10, maskOf(request.fieldMask));
  return out.finish();
}

function maskOf(paths: readonly string[]): Uint8Array {
  const out = new WireWriter(128);
  for (const path of paths) out.stringField(1, path);
  return out.finish();
}

const REFUSALS: ReadonlyMap<status, ErrorCode> = new Map([
  [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'],
  [status.OUT_OF_RANGE, 'INVALID_ARGUMENT'],
  [status.UNIMPLEMENTED, 'INVALID_ARGUMENT'],
  [status.UNAUTHENTICATED, 'UNAUTHENTICATED'],
  [status.PERMISSION_DENIED, 'FORBIDDEN'],
]);

function faultOf(address: string, error: ServiceError): AppError {
  const refusal = REFUSALS.get(error.code);
  const message = `observe ${address}: ${error.details}`;
  return new AppError(refusal ?? 'STORE_UNAVAILABLE', message, {
    retry: refusal === undefined,
    cause: error,
  });
}

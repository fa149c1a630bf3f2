import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { WireWriter } from '@flowledger/model';
import { AppError, type ErrorCode } from '@flowledger/platform';
import { writeTime } from '@flowledger/query';

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
}

/**
 * Encoded `observer.GetFlowsResponse`s of an Observer API (ours or Hubble's) at `host:port`, plain text; reading slowly
 * slows the server down. Ends when the signal aborts. Throws INVALID_ARGUMENT for what the server refuses and
 * STORE_UNAVAILABLE (retry) when it cannot be reached.
 */
export async function* observeFlows(
  address: string,
  request: ObserveRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const client = new Client(address, credentials.createInsecure());
  const stream = client.makeServerStreamRequest(
    '/observer.Observer/GetFlows',
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes: Buffer): Uint8Array => bytes,
    encodeRequest(request),
  );
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

function encodeRequest(request: ObserveRequest): Uint8Array {
  const out = new WireWriter(256);
  if (request.number !== 0n) out.uint64Field(1, request.number);
  if (request.follow) out.uint32Field(3, 1);
  for (const filter of request.deny) out.bytesField(5, filter);
  for (const filter of request.allow) out.bytesField(6, filter);
  if (request.sinceNs !== undefined) writeTime(out, 7, request.sinceNs);
  if (request.untilNs !== undefined) writeTime(out, 8, request.untilNs);
  if (request.first) out.uint32Field(9, 1);
  return out.finish();
}

function faultOf(address: string, error: ServiceError): AppError {
  const refused = [status.INVALID_ARGUMENT, status.OUT_OF_RANGE, status.UNIMPLEMENTED].includes(error.code);
  const code: ErrorCode = refused ? 'INVALID_ARGUMENT' : 'STORE_UNAVAILABLE';
  return new AppError(code, `observe ${address}: ${error.details}`, { retry: !refused, cause: error });
}

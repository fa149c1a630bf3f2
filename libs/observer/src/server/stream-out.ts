import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import { grpcError } from './grpc-errors.js';

/** A server stream of encoded messages. */
export type EncodedStream = ServerWritableStream<Buffer, Uint8Array>;

/**
 * Writes batches to a client as fast as it reads: a batch is made only when the one before it is written, and a full
 * stream is waited for. The signal that `make` gets aborts when the client goes away, so that queries stop; what it sets in
 * the trailer is sent when the stream ends.
 */
export async function streamOut(
  call: EncodedStream,
  make: (signal: AbortSignal, trailer: Metadata) => AsyncIterable<readonly Uint8Array[]>,
): Promise<void> {
  const gone = new AbortController();
  const trailer = new Metadata();
  call.on('cancelled', () => gone.abort());
  call.on('close', () => gone.abort());
  call.on('error', () => gone.abort());
  // Clients read the headers before the first message (hubble note 4.2).
  call.sendMetadata(new Metadata());
  try {
    for await (const batch of make(gone.signal, trailer)) {
      for (const message of batch) {
        if (gone.signal.aborted) return;
        if (!call.write(message)) await drained(call, gone.signal);
      }
    }
    call.end(trailer);
  } catch (error) {
    if (!gone.signal.aborted) call.emit('error', grpcError(error));
  }
}

function drained(call: EncodedStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

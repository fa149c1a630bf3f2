import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';

/** Bytes that a stream may have handed to HTTP/2 and that the socket has not taken yet; one message may exceed it. */
const AHEAD_BYTES = 256 * 1024;

/**
 * Takes the next message before the one before it is in the socket, as long as few bytes wait there. gRPC alone passes on
 * one message at a time, and a system call each is most of what a stream of small messages costs; what waits together goes
 * out together.
 */
class WriteAheadCall extends ServerInterceptingCall {
  #aheadBytes = 0;
  #next: (() => void) | undefined;

  override sendMessage(message: unknown, callback: () => void): void {
    const bytes = message instanceof Uint8Array ? message.byteLength : 0;
    this.#aheadBytes += bytes;
    super.sendMessage(message, () => {
      this.#aheadBytes -= bytes;
      this.#goOn();
    });
    this.#next = callback;
    this.#goOn();
  }

  #goOn(): void {
    const next = this.#next;
    if (next === undefined || this.#aheadBytes > AHEAD_BYTES) return;
    this.#next = undefined;
    next();
  }
}

/** Lets every stream of a server write ahead; see {@link WriteAheadCall}. */
export const writeAhead: ServerInterceptor = (_method, call) => new WriteAheadCall(call);

import { createServer, type Socket } from 'node:net';

/** HTTP/2 frame types and flags (RFC 9113, section 6). */
const [DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE] = [0, 1, 4, 6, 8] as const;
const [END_STREAM, ACK, END_HEADERS] = [1, 1, 4] as const;
const INITIAL_WINDOW_SIZE = 4;
const USUAL_WINDOW = 65_535;
const MOST_FRAME_BYTES = 16_384;
const FRAME_HEADER_BYTES = 9;
const GRPC_PREFIX_BYTES = 5;
const PREFACE_BYTES = 24;
/** Frames written at once. */
const CHUNK_BYTES = 16_384;
/** The first stream of a client. */
const FLOWS_STREAM = 1;
const UNIMPLEMENTED = '12';

interface Chunk {
  readonly bytes: Buffer;
  /** What flow control counts. */
  readonly payload: number;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A header block of RFC 7541: `:status` 200, and literals that are in no table. */
function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value)]);
  const literals = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0]),
    text(name),
    text(value),
  ]);
  return Buffer.concat([Buffer.from([0x88]), ...literals]);
}

const CONTENT = { 'content-type': 'application/grpc' };

/** One DATA frame a message, as a relay sends them. */
export function encodeFrames(messages: Iterable<Uint8Array>): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let [frames, bytes, payload]: [Buffer[], number, number] = [[], 0, 0];
  const close = (): void => {
    if (frames.length > 0) chunks.push({ bytes: Buffer.concat(frames), payload });
    [frames, bytes, payload] = [[], 0, 0];
  };
  for (const message of messages) {
    const body = Buffer.alloc(GRPC_PREFIX_BYTES + message.length);
    if (body.length > MOST_FRAME_BYTES) throw new RangeError('a flow that takes more than one frame');
    body.writeUInt32BE(message.length, 1);
    body.set(message, GRPC_PREFIX_BYTES);
    const encoded = frame(DATA, 0, FLOWS_STREAM, body);
    if (bytes + encoded.length > CHUNK_BYTES) close();
    frames.push(encoded);
    bytes += encoded.length;
    payload += body.length;
  }
  close();
  return chunks;
}

/** A client's connection: its first call is answered with all chunks and stays open, others are not implemented. */
class Connection {
  #received = Buffer.alloc(0);
  #preface = PREFACE_BYTES;
  #initialWindow = USUAL_WINDOW;
  #connectionWindow = USUAL_WINDOW;
  #streamWindow = USUAL_WINDOW;
  #next = 0;
  #asked = false;

  constructor(
    private readonly socket: Socket,
    private readonly chunks: readonly Chunk[],
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('drain', () => this.#send());
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length < this.#preface) return;
    let at = this.#preface;
    while (this.#received.length >= at + FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + this.#received.readUIntBE(at, 3);
      if (this.#received.length < end) break;
      const payload = this.#received.subarray(at + FRAME_HEADER_BYTES, end);
      this.#frame(
        this.#received.readUInt8(at + 3),
        this.#received.readUInt8(at + 4),
        this.#received.readUInt32BE(at + 5),
        payload,
      );
      at = end;
    }
    this.#preface = 0;
    this.#received = this.#received.subarray(at);
    this.#send();
  }

  #frame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === SETTINGS && (flags & ACK) === 0) this.#settings(payload);
    else if (type === PING && (flags & ACK) === 0) this.socket.write(frame(PING, ACK, 0, payload));
    else if (type === HEADERS) this.#call(stream);
    else if (type === WINDOW_UPDATE && stream === 0) this.#connectionWindow += payload.readUInt32BE(0);
    else if (type === WINDOW_UPDATE && stream === FLOWS_STREAM) this.#streamWindow += payload.readUInt32BE(0);
  }

  #settings(payload: Buffer): void {
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
      const window = payload.readUInt32BE(at + 2);
      this.#streamWindow += window - this.#initialWindow;
      this.#initialWindow = window;
    }
    this.socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)));
  }

  #call(stream: number): void {
    if (stream === FLOWS_STREAM) {
      this.#asked = true;
      this.socket.write(frame(HEADERS, END_HEADERS, stream, headerBlock(CONTENT)));
      return;
    }
    const refusal = headerBlock({ ...CONTENT, 'grpc-status': UNIMPLEMENTED });
    this.socket.write(frame(HEADERS, END_HEADERS | END_STREAM, stream, refusal));
  }

  #send(): void {
    while (this.#asked && !this.socket.writableNeedDrain) {
      const chunk = this.chunks[this.#next];
      if (chunk === undefined || chunk.payload > Math.min(this.#connectionWindow, this.#streamWindow)) return;
      this.#connectionWindow -= chunk.payload;
      this.#streamWindow -= chunk.payload;
      this.#next++;
      this.socket.write(chunk.bytes);
    }
  }
}

/**
 * A relay that sends the same messages to whoever connects, each encoded once, before it is measured: what is asked is
 * how fast flows are taken in, and a relay on the same cores that made its frames in JavaScript was dearer (22 µs a flow)
 * than the ingestor. Resolves with `host:port`; it lives as long as its process.
 */
export async function startFramedRelay(messages: Iterable<Uint8Array>): Promise<string> {
  const chunks = encodeFrames(messages);
  const server = createServer((socket) => new Connection(socket, chunks));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  return `127.0.0.1:${address.port}`;
}

import type { SimulatedEvent } from '@flowledger/simulator';

/** Field numbers of `observer.GetFlowsResponse`, `flow.Flow` and `flow.Endpoint`. */
const FLOW = 1;
const ENDS: readonly number[] = [8, 9];
const LOCAL_ID = 1;
const POD_NAME = 5;

interface Field {
  readonly number: number;
  /** The field with its key. */
  readonly whole: Buffer;
  /** What is in a length-delimited field; empty for others. */
  readonly body: Buffer;
}

function varint(bytes: Buffer, at: number): readonly [value: number, next: number] {
  let [value, scale, next] = [0, 1, at];
  for (;;) {
    const byte = bytes[next++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, next];
    scale *= 128;
  }
}

/** Fields of a message as they lie; a reader of its own, since the tested one must not judge itself. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const [key, start] = varint(bytes, at);
    const wire = key % 8;
    const [length, body] = wire === 2 ? varint(bytes, start) : [0, start];
    const end = { 0: varint(bytes, start)[1], 1: start + 8, 2: body + length, 5: start + 4 }[wire];
    if (end === undefined) throw new Error(`wire type ${wire}`);
    const inside = wire === 2 ? bytes.subarray(body, end) : Buffer.alloc(0);
    fields.push({ number: Math.floor(key / 8), whole: bytes.subarray(at, end), body: inside });
    at = end;
  }
  return fields;
}

function lengthDelimited(number: number, body: Buffer): Buffer {
  const head = [number * 8 + 2];
  let rest = body.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...head, rest]), body]);
}

function isFarPod({ number, body }: Field): boolean {
  if (!ENDS.includes(number)) return false;
  const numbers = fieldsOf(body).map((field) => field.number);
  return numbers.includes(POD_NAME) && !numbers.includes(LOCAL_ID);
}

/** The event without its pod that runs elsewhere: its address is all that is left. Undefined when it has none. */
export function maskFarEnd(event: SimulatedEvent): SimulatedEvent | undefined {
  const response = fieldsOf(Buffer.from(event.bytes));
  const flow = response.find(({ number }) => number === FLOW);
  const fields = flow === undefined ? [] : fieldsOf(flow.body);
  if (flow === undefined || !fields.some(isFarPod)) return undefined;
  const kept = Buffer.concat(fields.filter((field) => !isFarPod(field)).map(({ whole }) => whole));
  const parts = response.map((field) => (field === flow ? lengthDelimited(FLOW, kept) : field.whole));
  return { ...event, bytes: Buffer.concat(parts) };
}

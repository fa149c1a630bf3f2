import { schemaMessage, WireWriter, type SchemaField } from '@flowledger/model';
import { seeded } from './random-calls.js';

type Draw = (below: number) => number;

const WORDS = ['a', 'shop', 'kube-system', 'ünïcode', '日本', 'x'.repeat(200), 'k8s:app=web', '"quoted"'];
const ADDRESSES = [
  '10.0.0.1',
  '0.0.0.0',
  'f00d::a10:0:0:10',
  '::1',
  '::',
  '::102:304',
  '::ffff:1.2.3.4',
  '1.2.3',
];
const IDS = ['43eea867-dd4b-4e5e-b2b8-fe80e0f51b06', '43EEA867-DD4B-4E5E-B2B8-FE80E0F51B06', 'no uuid'];
const NUMBERS = [1, 2, 5, 77, 127, 128, 255, 256, 8080, 65_535, 65_536, 70_000, 2 ** 31 - 1];
const WIDE = [1n, 127n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n];

/** Random messages of the schema in wire form, as encoders write them (no zeros): every field, enum and member of a oneof may occur; seeded. */
export class RandomMessages {
  readonly #draw: Draw;

  constructor(seed: number) {
    this.#draw = seeded(seed);
  }

  /** Bytes of a message whose fields are each set with a chance of `percent`. */
  message(name: string, percent: number): Uint8Array {
    const out = new WireWriter(256);
    const { fields } = schemaMessage(name);
    const chosen = new Map<string, number>();
    for (const { oneof, number } of fields) {
      if (oneof !== undefined && this.#draw(fields.length) < 2) chosen.set(oneof, number);
    }
    for (const field of fields) {
      const set =
        field.oneof === undefined ? this.#draw(100) < percent : chosen.get(field.oneof) === field.number;
      if (!set) continue;
      const times = field.repeated ? 1 + this.#draw(3) : 1;
      for (let i = 0; i < times; i++) this.#field(out, name, field, percent);
    }
    return out.finish();
  }

  #field(out: WireWriter, message: string, field: SchemaField, percent: number): void {
    if (field.message === 'google.protobuf.Timestamp') {
      const time = out.open(field.number);
      out.uint64Field(1, BigInt(1_799_999_000 + this.#draw(900)));
      out.uint32Field(2, this.#draw(1_000_000_000));
      out.close(time);
    } else if (field.message !== undefined)
      out.bytesField(field.number, this.message(field.message, Math.max(percent, 40)));
    else if (field.scalar === 'string') out.stringField(field.number, this.#text(message, field.name));
    else if (field.scalar === 'bytes') out.bytesField(field.number, Uint8Array.of(1, 2, 3));
    else if (field.scalar === 'uint64') out.uint64Field(field.number, this.#pick(WIDE));
    else if (field.scalar === 'bool') out.uint32Field(field.number, 1);
    else if (field.scalar === 'int32' || field.enumeration !== undefined) this.#signed(out, field);
    else out.uint32Field(field.number, this.#pick(NUMBERS));
  }

  #signed(out: WireWriter, field: SchemaField): void {
    out.tag(field.number, 0);
    out.int32(
      this.#draw(20) === 0 ? -1 : field.enumeration === undefined ? this.#pick(NUMBERS) : 1 + this.#draw(209),
    );
  }

  #text(message: string, name: string): string {
    if (message === 'flow.IP') return this.#pick(ADDRESSES);
    return name === 'uuid' ? this.#pick(IDS) : this.#pick(WORDS);
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[this.#draw(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }
}

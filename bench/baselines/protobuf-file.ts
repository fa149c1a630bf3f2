import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The schema files of the repository, from the compiled file's place in bench/dist/baselines. */
export const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));

/**
 * The well-known messages that Hubble's schema imports. Protobuf libraries bring their own; ClickHouse's reader wants
 * them beside the schema.
 */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  timestamp: 'message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
  any: 'message Any { string type_url = 1; bytes value = 2; }',
  wrappers:
    'message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; } message BoolValue { bool value = 1; }',
};

/** Puts the schema where ClickHouse can read it and gives the value of its `format_schema`. */
export function writeSchema(directory: string): string {
  for (const folder of ['hubble', 'google/protobuf']) mkdirSync(join(directory, folder), { recursive: true });
  for (const name of ['flow', 'relay'])
    copyFileSync(join(PROTO, `hubble/${name}.proto`), join(directory, `hubble/${name}.proto`));
  copyFileSync(join(PROTO, 'hubble/observer.proto'), join(directory, 'observer.proto'));
  for (const [name, body] of Object.entries(WELL_KNOWN))
    writeFileSync(
      join(directory, `google/protobuf/${name}.proto`),
      `syntax = "proto3";\npackage google.protobuf;\n${body}\n`,
    );
  return `${join(directory, 'observer.proto')}:GetFlowsResponse`;
}

function lengthPrefix(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Writes messages as ClickHouse's `Protobuf` format has them: each after its length. */
export function writeProtobufFile(path: string, messages: readonly Uint8Array[]): void {
  writeFileSync(path, Buffer.concat(messages.flatMap((message) => [lengthPrefix(message.length), message])));
}

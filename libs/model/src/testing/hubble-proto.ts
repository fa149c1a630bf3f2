import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../../../proto/', import.meta.url));

/** The messages of proto/hubble in protobufjs: the standard library that our decoder is compared with. */
export interface HubbleProto {
  readonly response: protobuf.Type;
  readonly exportEvent: protobuf.Type;
  readonly flow: protobuf.Type;
  readonly root: protobuf.Root;
}

/**
 * Gives protobufjs its 64-bit numbers. Under the test runner's import conditions `require('long')` answers with the ES
 * module, protobufjs does not find its class in it, and silently drops what it cannot hold in a number.
 */
function needLong(): void {
  const fromHere = createRequire(import.meta.url);
  const long = createRequire(fromHere.resolve('protobufjs'))('long') as { default?: unknown };
  const found = (long.default ?? long) as typeof protobuf.util.Long;
  protobuf.util.Long = found;
  protobuf.configure();
  const timestamp = new protobuf.Type('Probe').add(new protobuf.Field('value', 1, 'uint64'));
  const probe = timestamp.toObject(timestamp.fromObject({ value: 2n ** 63n }), { longs: String });
  if (probe['value'] !== '9223372036854775808') throw new Error('protobufjs has no 64-bit numbers here');
}

/** Loads proto/hubble. Throws when protobufjs would drop 64-bit numbers. */
export function loadHubbleProto(): HubbleProto {
  needLong();
  const root = new protobuf.Root();
  const common = root.resolvePath.bind(root);
  root.resolvePath = (origin, target) =>
    target.startsWith('hubble/') ? `${PROTO}${target}` : common(origin, target);
  root.loadSync('hubble/observer.proto', { keepCase: true });
  root.resolveAll();
  return {
    root,
    response: root.lookupType('observer.GetFlowsResponse'),
    exportEvent: root.lookupType('observer.ExportEvent'),
    flow: root.lookupType('flow.Flow'),
  };
}

/** A message as a plain object: 64-bit numbers as bigint, enums as numbers, absent fields absent. */
export function plainObject(type: protobuf.Type, message: protobuf.Message): Record<string, unknown> {
  const object: unknown = type.toObject(message, { longs: BigInt, enums: Number, oneofs: false });
  return object as Record<string, unknown>;
}

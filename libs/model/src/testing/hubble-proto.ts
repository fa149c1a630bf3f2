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

export function loadHubbleProto(): HubbleProto {
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

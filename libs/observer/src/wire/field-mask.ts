import { schemaMessage, WireReader, WireWriter } from '@flowledger/model';

/** Fields to keep of one message: by number, with what to keep inside; null keeps the field whole. */
type MaskTree = ReadonlyMap<number, MaskTree | null>;

/**
 * What every CLI since 1.16 asks for when it prints text. Their lists lack what their own printers read
 * (cilium/cilium#41912), so who asks for all of this gets flows whole; nobody writes such a list by hand.
 */
const DEFAULT_MASK = [
  'time',
  'verdict',
  'IP',
  'l4',
  'Type',
  'node_name',
  'l7',
  'event_type',
  'is_reply',
  'Summary',
];

/** Cuts encoded flows down to the paths of a field mask. */
export type FlowMask = (flow: Uint8Array) => Uint8Array;

/**
 * The mask for the paths of a request; undefined when flows are sent whole. Paths that `flow.Flow` does not have are
 * ignored: a newer client may know more fields (hubble note 4.2). When no path is known nothing but the response's own
 * time and node are left.
 */
export function flowMask(paths: readonly string[]): FlowMask | undefined {
  if (paths.length === 0 || DEFAULT_MASK.every((path) => paths.includes(path))) return undefined;
  const tree = treeOf(
    paths.map((path) => path.split('.')),
    'flow.Flow',
  );
  return (flow) => {
    const out = new WireWriter(flow.length);
    const reader = new WireReader();
    reader.load(flow, 0, flow.length);
    copyMasked(reader, flow.length, tree, out);
    return out.finish();
  };
}

function treeOf(paths: readonly (readonly string[])[], message: string): MaskTree {
  const tree = new Map<number, MaskTree | null>();
  for (const field of schemaMessage(message).fields) {
    const own = paths.filter(([name]) => name === field.name || name === field.camelName);
    if (own.length === 0) continue;
    const whole = own.some((path) => path.length === 1) || field.message === undefined || field.repeated;
    tree.set(
      field.number,
      whole
        ? null
        : treeOf(
            own.map((path) => path.slice(1)),
            field.message,
          ),
    );
  }
  return tree;
}

function copyMasked(reader: WireReader, end: number, tree: MaskTree, out: WireWriter): void {
  while (reader.pos < end) {
    const start = reader.pos;
    const tag = reader.uint32();
    const inner = tree.get(tag >>> 3);
    if (inner !== undefined && inner !== null && (tag & 7) === 2) {
      const innerEnd = reader.lengthEnd();
      const mark = out.open(tag >>> 3);
      copyMasked(reader, innerEnd, inner, out);
      out.close(mark);
      continue;
    }
    reader.skip(tag);
    if (inner === null) out.copy(reader.buf, start, reader.pos);
  }
}

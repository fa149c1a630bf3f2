import { describe, expect, it } from 'vitest';
import { WireFields, WireWriter } from '@flowledger/model';
import { flowMask } from './field-mask.js';
import { decodeGetFlows } from './requests.js';
import { statusResponse } from './responses.js';

/** verdict 1, source { namespace shop, pod_name a, labels x }, an unknown field 42. */
function flow(): Uint8Array {
  const out = new WireWriter();
  out.uint32Field(2, 1);
  const end = out.open(8);
  out.stringField(3, 'shop');
  out.stringField(4, 'x');
  out.stringField(5, 'a');
  out.close(end);
  out.stringField(42, 'new');
  return out.finish();
}

describe('a field mask', () => {
  it('keeps what it names, whole or in part, and nothing else', () => {
    const masked = new WireFields(flowMask(['source.namespace', 'Summary'])?.(flow()) ?? flow());
    expect(masked.has(2)).toBe(false);
    expect(masked.message(8)?.text(3)).toBe('shop');
    expect(masked.message(8)?.has(5)).toBe(false);
    const whole = new WireFields(flowMask(['verdict', 'source', 'source.namespace'])?.(flow()) ?? flow());
    expect(whole.message(8)?.text(5)).toBe('a');
    expect(whole.uint64(2)).toBe(1n);
  });

  it('ignores paths that this server does not know, and takes camelCase as protobuf does', () => {
    const masked = new WireFields(
      flowMask(['no_such', 'source.podName', 'source.nothing'])?.(flow()) ?? flow(),
    );
    expect(masked.message(8)?.text(5)).toBe('a');
    expect(masked.has(42)).toBe(false);
    expect(flowMask(['no_such'])?.(flow())).toEqual(new Uint8Array(0));
  });

  it('is no mask for the list that CLIs send for their text output: theirs lacks what they print', () => {
    const sent =
      'time,verdict,ethernet,IP,l4,source.identity,source.namespace,source.pod_name,destination.identity,destination.namespace,destination.pod_name,Type,node_name,l7,event_type,source_service,destination_service,is_reply,Summary,ip_trace_id';
    expect(flowMask(sent.split(','))).toBeUndefined();
    expect(flowMask([])).toBeUndefined();
  });
});

describe('a request', () => {
  it('is decoded with its filters left as bytes, 64-bit numbers exact and times in nanoseconds', () => {
    const out = new WireWriter();
    out.uint64Field(1, (1n << 64n) - 1n);
    out.uint32Field(3, 1);
    out.bytesField(6, Uint8Array.of(1));
    out.bytesField(6, new Uint8Array(0));
    const since = out.open(7);
    out.uint64Field(1, 1_800_000_000n);
    out.uint32Field(2, 999_999_999);
    out.close(since);
    const decoded = decodeGetFlows(out.finish());
    expect(decoded.ok ? decoded.value : decoded).toMatchObject({
      number: (1n << 64n) - 1n,
      follow: true,
      first: false,
      whitelist: [Uint8Array.of(1), new Uint8Array(0)],
      blacklist: [],
      sinceNs: 1_800_000_000_999_999_999n,
      untilNs: undefined,
      fieldMask: [],
    });
  });

  it('is refused when its bytes are damaged', () => {
    expect(decodeGetFlows(Uint8Array.of(8))).toMatchObject({ ok: false });
    expect(decodeGetFlows(Uint8Array.of(58, 9, 8))).toMatchObject({ ok: false });
  });
});

describe('a server status', () => {
  it('says 0 nodes and none known apart, and names ten unavailable ones', () => {
    const unavailableNodes = Array.from({ length: 12 }, (_, i) => `n${i}`);
    const counts = { numFlows: 5n, maxFlows: 0n, seenFlows: 1n << 60n, uptimeNs: 7n };
    const rest = { connectedNodes: 0, unavailableNodes, version: 'v', flowsRate: 2.5 };
    const fields = new WireFields(statusResponse({ ...counts, ...rest }));
    expect(fields.uint64(3)).toBe(1n << 60n);
    expect([fields.has(5), fields.message(5)?.uint64(1)]).toEqual([true, 0n]);
    expect(fields.message(6)?.uint64(1)).toBe(12n);
    expect(fields.texts(7)).toHaveLength(10);
  });
});

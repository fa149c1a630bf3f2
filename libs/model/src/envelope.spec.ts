import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope, encodeEnvelope, type Codec, type EnvelopeHeader } from './envelope.js';

const header: EnvelopeHeader = {
  version: 1,
  tenant: 'default',
  cluster: 'c1',
  stream: 'node-1',
  source: 'relay',
  codec: 'hubble.get_flows_response',
  count: 2,
  firstTimeNs: -5n,
  lastTimeNs: 1_700_000_000_123_456_789n,
  receivedMs: 1_700_000_000_456,
  chunkDigest: new Uint8Array(32).fill(7),
  chunkIndex: 3,
};

describe('the envelope', () => {
  it('gives back every header field and the very bytes of every event', () => {
    const codecs: Codec[] = ['hubble.get_flows_response', 'hubble.export_json', 'control'];
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.constantFrom(...codecs),
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeNat(),
        int64,
        (events, codec, stream, receivedMs, firstTimeNs) => {
          const sent = { ...header, codec, stream, receivedMs, firstTimeNs, count: events.length };
          const back = decodeEnvelope(encodeEnvelope(sent, events));
          expect(back).toEqual({ ok: true, value: { header: sent, events } });
        },
      ),
    );
  });

  it('leaves absent what was absent', () => {
    const { firstTimeNs: _f, lastTimeNs: _l, chunkDigest: _d, chunkIndex: _i, ...bare } = header;
    const back = decodeEnvelope(encodeEnvelope({ ...bare, count: 0 }, []));
    expect(back).toEqual({ ok: true, value: { header: { ...bare, count: 0 }, events: [] } });
  });

  it('returns views on the record, not copies', () => {
    const record = encodeEnvelope({ ...header, count: 1 }, [new Uint8Array([1, 2, 3])]);
    const back = decodeEnvelope(record);
    expect(back.ok && back.value.events[0]?.buffer === record.buffer).toBe(true);
  });

  it('refuses a count that is not the number of events', () => {
    expect(() => encodeEnvelope(header, [])).toThrow(RangeError);
    const record = encodeEnvelope(header, [new Uint8Array(1), new Uint8Array(1)]);
    expect(decodeEnvelope(record.subarray(0, record.length - 3))).toEqual({ ok: false, reason: 'envelope' });
  });

  it('rejects a record cut anywhere, and one with any byte changed never throws', () => {
    const record = encodeEnvelope(header, [new Uint8Array([9, 9]), new Uint8Array(5)]);
    for (let i = 0; i < record.length; i++) expect(decodeEnvelope(record.subarray(0, i)).ok).toBe(false);
    for (let i = 0; i < record.length; i++) {
      const changed = record.slice();
      changed[i] = (changed[i] ?? 0) ^ 0xff;
      expect(typeof decodeEnvelope(changed).ok).toBe('boolean');
    }
  });

  it('says when a newer version of us wrote the record or its codec', () => {
    const record = encodeEnvelope({ ...header, count: 0 }, []);
    const newer = record.slice();
    newer[1] = 2;
    expect(decodeEnvelope(newer)).toEqual({ ok: false, reason: 'envelope_version' });
    const codec = new Uint8Array([...record, 0x30, 99]);
    expect(decodeEnvelope(codec)).toEqual({ ok: false, reason: 'codec' });
  });

  it('passes over header fields it does not know', () => {
    const record = encodeEnvelope({ ...header, count: 0 }, []);
    const back = decodeEnvelope(new Uint8Array([...record, 0xa2, 0x01, 2, 1, 1]));
    expect(back).toEqual({ ok: true, value: { header: { ...header, count: 0 }, events: [] } });
  });
});

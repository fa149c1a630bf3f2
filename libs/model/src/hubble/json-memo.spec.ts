import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonTranscoder } from './json-transcoder.js';

const FIXTURE = new URL('../../fixtures/envelope.jsonl', import.meta.url);

interface Endpoint {
  readonly ID?: number;
  readonly identity: number;
  readonly namespace: string;
  readonly labels: readonly string[];
  readonly pod_name: string;
  readonly surprise?: { readonly deep: readonly number[] };
}

const endpoint: fc.Arbitrary<Endpoint> = fc.record(
  {
    ID: fc.integer({ min: 1, max: 3 }),
    identity: fc.constantFrom(20_000, 20_001),
    namespace: fc.constantFrom('shop', 'shop-2', 'a"quoted\\one', 'ünï'),
    labels: fc.array(fc.constantFrom('k8s:app=checkout', 'k8s:app=cart', 'k8s:tier=1'), { maxLength: 3 }),
    pod_name: fc.string({ maxLength: 12 }),
    surprise: fc.constant({ deep: [1, 2, 3] }),
  },
  { requiredKeys: ['identity', 'namespace', 'labels', 'pod_name'] },
);

const line = fc
  .record({
    source: endpoint,
    destination: endpoint,
    node_labels: fc.array(fc.constantFrom('kubernetes.io/os=linux', 'kubernetes.io/arch=amd64')),
    verdict: fc.constantFrom('FORWARDED', 'DROPPED'),
  })
  .map((flow) => JSON.stringify({ flow, node_name: 'n', time: '2026-01-01T00:00:00Z' }));

function wireOf(transcoder: JsonTranscoder, text: string): string {
  const bytes = Buffer.from(text);
  const refusal = transcoder.transcode(new Uint8Array(bytes), 0, bytes.length);
  return refusal ?? Buffer.from(transcoder.wire.finish()).toString('hex');
}

describe('json memo', () => {
  it('changes nothing about what a line is written as', () => {
    const warm = new JsonTranscoder();
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), (lines) => {
        for (const text of lines) expect(wireOf(warm, text)).toBe(wireOf(new JsonTranscoder(), text));
      }),
      { numRuns: 100 },
    );
  });

  it('takes no value for one that only begins like it, and no cut line for a whole one', () => {
    const [text = ''] = readFileSync(FIXTURE, 'utf8').split('\n');
    const warm = new JsonTranscoder();
    const whole = wireOf(warm, text);
    expect(wireOf(warm, text)).toBe(whole);
    for (let end = 0; end < text.length; end += 3) {
      const cut = text.slice(0, end);
      expect(wireOf(warm, cut)).toBe(wireOf(new JsonTranscoder(), cut));
    }
    for (let at = 0; at < text.length; at += 3) {
      const changed = `${text.slice(0, at)}7${text.slice(at + 1)}`;
      expect(wireOf(warm, changed)).toBe(wireOf(new JsonTranscoder(), changed));
    }
    expect(wireOf(warm, text)).toBe(whole);
  });
});

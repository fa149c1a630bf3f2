import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type QueryContext } from '@flowledger/query';
import { wireName } from '../server/grpc-errors.js';
import { eventRange, flowQuestion } from './flow-question.js';

const DAY_NS = 86_400_000_000_000n;
const HOUR_NS = DAY_NS / 24n;
const NOW_NS = 1_800_000_000_000_000_000n;
const KEPT_NS = 14n * DAY_NS;
const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: NOW_NS,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};
const NOTHING = { number: 0n, first: false, follow: false, sinceNs: undefined, untilNs: undefined };

describe('which events a request means', () => {
  it.each([
    ['number: the last so many', { number: 20n }, { fromStart: false, limit: 20n }],
    ['number and first: the oldest', { number: 20n, first: true }, { fromStart: true, limit: 20n }],
    [
      'since wins over number for the start',
      { number: 5n, sinceNs: NOW_NS - 9n },
      { fromStart: true, limit: 5n },
    ],
    ['no number: everything', {}, { fromStart: true, limit: undefined }],
    ['2^64 - 1: everything', { number: (1n << 64n) - 1n }, { fromStart: true, limit: undefined }],
    ['follow alone: only what comes', { follow: true }, { onlyNew: true }],
    [
      'follow with number: the last so many, then what comes',
      { follow: true, number: 3n },
      { onlyNew: false, limit: 3n },
    ],
    [
      'follow with since: all since then',
      { follow: true, sinceNs: NOW_NS - 9n, number: 3n },
      { limit: undefined },
    ],
  ])('%s', (_what, more, expected) => {
    expect(eventRange({ ...NOTHING, ...more }, CONTEXT, KEPT_NS)).toMatchObject(expected);
  });

  it('bounds are inclusive, and nothing is asked of before what is kept', () => {
    const at = NOW_NS - HOUR_NS;
    expect(eventRange({ ...NOTHING, sinceNs: at, untilNs: at }, CONTEXT, KEPT_NS)).toMatchObject({
      window: { fromNs: at, toNs: at + 1n },
      cutByRetention: false,
    });
    const old = eventRange({ ...NOTHING, sinceNs: 0n }, CONTEXT, KEPT_NS);
    expect(old).toMatchObject({ cutByRetention: true, window: { fromNs: NOW_NS - KEPT_NS - DAY_NS } });
    expect(() => eventRange({ ...NOTHING, untilNs: 1n }, CONTEXT, KEPT_NS)).toThrow(
      /^until: nothing is kept/,
    );
    expect(() => eventRange({ ...NOTHING, sinceNs: NOW_NS + DAY_NS }, CONTEXT, KEPT_NS)).toThrow(/future/);
  });

  it('names fields as the client sent them', () => {
    expect(wireName('filters.allow[0].sourcePod[1]')).toBe('whitelist[0].source_pod[1]');
    const request = { ...NOTHING, fieldMask: [], blacklist: [], whitelist: [Uint8Array.of(0x0a, 1, 0x78)] };
    expect(() => flowQuestion(request, CONTEXT, false)).toThrow(/^whitelist\[0\]\.source_ip/);
  });
});

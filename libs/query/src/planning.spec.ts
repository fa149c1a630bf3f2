import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, decodeFlowId, encodeCursor, encodeFlowId, hashFilters } from './flows/flow-cursor.js';
import { planFlow } from './flows/plan-flow.js';
import { planFlows } from './flows/plan-flows.js';
import { groupId, groupKeys, parseGroupId } from './group/dimensions.js';
import { decodePolicies, policyText } from './policies.js';
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from './query-plan.js';
import type { QueryContext } from './query-plan.js';
import { planRed } from './red/plan-red.js';
import { answeredFrom, segmentsOf } from './segments.js';
import { seriesGrid } from './series.js';
import { SqlTemplate } from './sql-template.js';
import { timeText } from './time-text.js';
import { HOUR_NS, MINUTE_NS, resolveWindow } from './window.js';

const NOW = 1_767_268_800_000_000_000n;
const CONTEXT: QueryContext = {
  tenant: 't',
  nowNs: NOW,
  limits: DEFAULT_LIMITS,
  retention: DEFAULT_RETENTION,
};

describe('resolveWindow', () => {
  it('is the last hour when nothing is asked for', () => {
    expect(resolveWindow(null, CONTEXT)).toEqual({ ok: true, value: { fromNs: NOW - HOUR_NS, toNs: NOW } });
    expect(resolveWindow({ lastNs: 5n }, CONTEXT)).toEqual({
      ok: true,
      value: { fromNs: NOW - 5n, toNs: NOW },
    });
    expect(resolveWindow({ fromNs: 7n * HOUR_NS, toNs: 8n * HOUR_NS }, CONTEXT)).toMatchObject({ ok: true });
  });

  it.each([
    ['both forms', { fromNs: 1n, lastNs: 1n }, 'BAD_WINDOW'],
    ['an empty window', { fromNs: NOW, toNs: NOW }, 'BAD_WINDOW'],
    ['a reversed window', { fromNs: NOW, toNs: NOW - 1n }, 'BAD_WINDOW'],
    ['no length', { lastNs: 0n }, 'BAD_WINDOW'],
    ['a time before 1970', { fromNs: -1n, toNs: 5n }, 'BAD_WINDOW'],
    ['a time after 2099', { fromNs: NOW, toNs: 9_000_000_000_000_000_000n }, 'BAD_WINDOW'],
    ['more than the limit', { lastNs: 401n * 24n * HOUR_NS }, 'WINDOW_TOO_WIDE'],
  ])('refuses %s', (_, window, code) => {
    expect(resolveWindow(window, CONTEXT)).toMatchObject({ ok: false, error: { code, field: 'window' } });
  });
});

describe('segmentsOf', () => {
  const window = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n * HOUR_NS }), fc.bigInt({ min: 1n, max: 10n * HOUR_NS }))
    .map(([from, length]) => ({ fromNs: from, toNs: from + length }));

  it('covers the window once, without holes, each part in whole buckets', () => {
    fc.assert(
      fc.property(window, fc.subarray(['minute', 'hour'] as const), (asked, grains) => {
        const parts = segmentsOf(asked, null, grains);
        expect(parts[0]?.fromNs).toBe(asked.fromNs);
        expect(parts.at(-1)?.toNs).toBe(asked.toNs);
        for (const [index, part] of parts.entries()) {
          expect(part.fromNs).toBeLessThan(part.toNs);
          if (index > 0) expect(part.fromNs).toBe(parts[index - 1]?.toNs);
          const size = part.grain === 'hour' ? HOUR_NS : part.grain === 'minute' ? MINUTE_NS : 1n;
          expect(part.fromNs % size).toBe(0n);
          expect(part.toNs % size).toBe(0n);
        }
      }),
    );
  });

  it('leaves out grains that do not divide the step', () => {
    const grains = segmentsOf({ fromNs: 0n, toNs: 2n * HOUR_NS }, 30n * MINUTE_NS, ['minute', 'hour']);
    expect(grains.map((part) => part.grain)).toEqual(['minute']);
  });

  it('says when a table no longer keeps a part of the window', () => {
    const tables = { raw: 'flows', minute: 'red_1m', hour: 'red_1h' };
    const old = { fromNs: NOW - 40n * 24n * HOUR_NS - 1n, toNs: NOW };
    expect(answeredFrom(segmentsOf(old, null, []), tables, CONTEXT).exact).toBe(false);
    expect(
      answeredFrom(segmentsOf({ ...old, fromNs: old.fromNs + 1n }, null, ['hour']), tables, CONTEXT),
    ).toEqual({
      table: 'red_1h',
      resolutionNs: HOUR_NS,
      exact: true,
    });
  });
});

describe('seriesGrid', () => {
  it('takes the next step of the ladder and never more than 1,000 points', () => {
    const window = { fromNs: 5n * MINUTE_NS + 1n, toNs: 2n * HOUR_NS };
    expect(seriesGrid(window, 7_000_000_000n, 1)).toMatchObject({ stepNs: 10_000_000_000n });
    expect(seriesGrid({ fromNs: 0n, toNs: 24n * HOUR_NS }, 1n, 1)?.starts.length).toBeLessThanOrEqual(1000);
    expect(seriesGrid({ fromNs: 0n, toNs: 24n * HOUR_NS }, 1n, 1000)?.starts.length).toBeLessThanOrEqual(50);
    expect(seriesGrid(window, null, 1)).toBeNull();
  });

  it('begins with the bucket that holds the start of the window', () => {
    const grid = seriesGrid({ fromNs: 5n * MINUTE_NS + 1n, toNs: 7n * MINUTE_NS }, MINUTE_NS, 1);
    expect(grid?.starts).toEqual([5n * MINUTE_NS, 6n * MINUTE_NS]);
  });
});

describe('cursors and ids', () => {
  const positions = fc.record({
    bucketNs: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    logEpoch: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    partition: fc.integer({ min: 0, max: 65_535 }),
    offset: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    index: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(positions, (at) => {
        expect(decodeFlowId(encodeFlowId(at))).toEqual(at);
        expect(decodeCursor(encodeCursor(at, 'abc'), 'abc')).toEqual(at);
        expect(decodeCursor(encodeCursor(at, 'abc'), 'abd')).toBeUndefined();
        expect(decodeCursor(encodeFlowId(at), 'abc')).toBeUndefined();
      }),
    );
  });

  it('are refused when damaged, never thrown at', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeFlowId(text) === undefined));
    for (const after of [
      '',
      'x',
      encodeCursor({ bucketNs: 1n, logEpoch: 1n, partition: 1, offset: 1n, index: 1 }, 'other'),
    ])
      expect(planFlows({ after }, CONTEXT)).toMatchObject({
        ok: false,
        error: { code: 'BAD_CURSOR', field: 'after' },
      });
    expect(planFlow({ id: 'zz' }, CONTEXT)).toMatchObject({ ok: false, error: { code: 'BAD_CURSOR' } });
  });

  it('belong to the filters, however these are written', () => {
    const one = hashFilters({ allow: [{ verdict: ['DROPPED'], sourcePod: ['a'] }] });
    expect(
      hashFilters({ allow: [{ sourcePod: ['a'], verdict: ['DROPPED'], uuid: null, reply: [] }], deny: [] }),
    ).toBe(one);
    expect(hashFilters({ allow: [{ verdict: ['DROPPED'] }, { sourcePod: ['a'] }] })).not.toBe(one);
    expect(hashFilters(null)).toBe(hashFilters({}));
  });

  it('refuses impossible pages', () => {
    expect(planFlows({ first: 1, last: 1 }, CONTEXT)).toMatchObject({ ok: false });
    expect(planFlows({ first: 1001 }, CONTEXT)).toMatchObject({ ok: false, error: { code: 'TOO_COSTLY' } });
    expect(planFlows({ last: -1 }, CONTEXT)).toMatchObject({ ok: false });
  });
});

describe('groupings', () => {
  it.each([
    ['a dimension calls do not have', [{ dimension: 'DROP_REASON' }]],
    ['no side where there are two', [{ dimension: 'WORKLOAD', side: 'NONE' }]],
    ['one grouping twice', [{ dimension: 'PORT' }, { dimension: 'PORT', side: 'CLIENT' }]],
    ['a zone', [{ dimension: 'ZONE' }]],
    [
      'five groupings',
      ['PORT', 'CLUSTER', 'NODE', 'ENDPOINT', 'PROTOCOL'].map((dimension) => ({ dimension })),
    ],
  ])('refuse %s', (_, groups) => {
    const typed: Parameters<typeof groupKeys>[0] = JSON.parse(JSON.stringify(groups));
    expect(groupKeys(typed, 'red')).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED_GROUPING' } });
  });

  it('have ids that give their keys back', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (texts) => {
        expect(parseGroupId(groupId(texts))).toEqual(texts);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseGroupId(text)).not.toThrow();
      }),
    );
  });

  it('come with a refusal for spans until there are any', () => {
    expect(planRed({ source: 'SPANS' }, CONTEXT)).toMatchObject({
      ok: false,
      error: { code: 'UNSUPPORTED' },
    });
    expect(planRed({ limit: 1001 }, CONTEXT)).toMatchObject({ ok: false, error: { code: 'TOO_COSTLY' } });
    expect(planRed({ stepNs: 0n }, CONTEXT)).toMatchObject({ ok: false });
  });
});

describe('decodePolicies', () => {
  const text = (number: number, value: string): number[] => [
    (number << 3) | 2,
    value.length,
    ...Buffer.from(value),
  ];
  const policy = [
    ...text(1, 'deny-all'),
    ...text(2, 'shop'),
    4 << 3,
    0xac,
    0x02,
    ...text(5, 'CiliumNetworkPolicy'),
  ];
  const tag = (number: number): number[] => {
    const bytes: number[] = [];
    for (let rest = (number << 3) | 2; rest > 0; rest >>>= 7)
      bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    return bytes;
  };
  const bytes = Uint8Array.from([
    ...tag(21005),
    policy.length,
    ...policy,
    ...tag(21001),
    policy.length,
    ...policy,
  ]);

  it('reads the lists with their effect and direction', () => {
    const [denied, allowed] = decodePolicies(bytes, 181);
    expect(denied).toEqual({
      kind: 'CiliumNetworkPolicy',
      namespace: 'shop',
      name: 'deny-all',
      revision: '300',
      effect: 'DENIED',
      direction: 'INGRESS',
    });
    expect(allowed).toMatchObject({ effect: 'ALLOWED', direction: 'EGRESS' });
    expect(denied === undefined ? '' : policyText(denied)).toBe('CiliumNetworkPolicy shop/deny-all');
  });

  it('says of a default deny that the policies only select', () => {
    expect(decodePolicies(bytes, 133)[0]?.effect).toBe('SELECTS_WITHOUT_ALLOWING');
  });

  it('does not throw at damaged bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (damaged) => {
        expect(() => decodePolicies(damaged)).not.toThrow();
      }),
    );
  });
});

describe('small parts', () => {
  it('writes times exactly', () => {
    expect(timeText(NOW)).toBe('2026-01-01T12:00:00Z');
    expect(timeText(NOW + 1n)).toBe('2026-01-01T12:00:00.000000001Z');
    expect(timeText(NOW + 120_000_000n)).toBe('2026-01-01T12:00:00.12Z');
  });

  it('refuses to fill a template with missing or surplus fragments', () => {
    const template = new SqlTemplate('namespaces-raw');
    expect(() => template.fill({})).toThrow('no fragment for range');
    expect(() => template.fill({ range: 'true', other: 'x' })).toThrow('no place for other');
  });
});

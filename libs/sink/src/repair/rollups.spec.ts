import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repairableHours } from './rollup-repair.js';
import { ROLLUPS } from './rollups.js';

const MIGRATIONS = new URL('../../../../migrations/clickhouse/', import.meta.url);
const TEXT = readdirSync(MIGRATIONS)
  .toSorted()
  .map((name) => readFileSync(new URL(name, MIGRATIONS), 'utf8'))
  .join('\n');

/** Columns of a table with their types, as its CREATE TABLE says. */
function columnsOf(table: string): Map<string, string> {
  const body =
    new RegExp(`CREATE TABLE IF NOT EXISTS ${table}\\{\\{ON_CLUSTER\\}\\}\\n\\(\\n([^]*?)\\n\\)\\n`).exec(
      TEXT,
    )?.[1] ?? '';
  return new Map(
    body.split('\n').map((line) => {
      const [, name = '', type = ''] = /^ {2}(\w+) (\w+(?:\((?:[^()]|\([^()]*\))*\))?)/.exec(line) ?? [];
      return [name, type];
    }),
  );
}

describe('ROLLUPS', () => {
  it('names every materialised view on flows', () => {
    const views = [
      ...TEXT.matchAll(/CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+)\{\{ON_CLUSTER\}\} TO (\w+) AS/g),
    ];
    expect(views.map(([, view, table]) => `${view} ${table}`).toSorted()).toEqual(
      ROLLUPS.map(({ view, table }) => `${view} ${table}`).toSorted(),
    );
  });

  it.each(ROLLUPS.map((rollup) => [rollup.table, rollup] as const))(
    'knows every column of %s for what it is',
    (table, rollup) => {
      const expected = new Map<string, string>();
      for (const [name, type] of columnsOf(table)) {
        const kind = /^SimpleAggregateFunction\((\w+)/.exec(type)?.[1] ?? 'key';
        expected.set(name, kind);
      }
      const named = [
        ...rollup.keys.map((name) => [name, 'key'] as const),
        ...rollup.sums.map((name) => [name, 'sum'] as const),
        ...rollup.histograms.map((name) => [name, 'sumMap'] as const),
        ...rollup.minima.map((name) => [name, 'min'] as const),
        ...rollup.maxima.map((name) => [name, 'max'] as const),
      ];
      expect(expected.size).toBeGreaterThan(10);
      expect(new Map(named)).toEqual(expected);
    },
  );

  it('sums signed numbers only, because a correction may be negative', () => {
    for (const { table, sums, histograms } of ROLLUPS) {
      const columns = columnsOf(table);
      for (const name of sums) expect(columns.get(name)).toBe('SimpleAggregateFunction(sum, Int64)');
      for (const name of histograms) expect(columns.get(name)).toContain('Int64');
    }
  });
});

describe('repairableHours', () => {
  it('leaves out hours of which rows may be gone', () => {
    const hour = 3600;
    const hours = [0, 89 * hour, 91 * hour, 92 * hour, 99 * hour];
    expect(repairableHours(hours, 92 * hour)).toEqual([92 * hour, 99 * hour]);
    expect(repairableHours(hours, 91 * hour + 1)).toEqual([92 * hour, 99 * hour]);
    expect(repairableHours(hours, 0)).toEqual(hours);
  });
});

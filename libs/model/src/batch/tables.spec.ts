import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FLOW_FIELDS } from '../fields.js';
import { projectLines } from '../testing/project.js';
import { lanesOf, laneOf } from './lanes.js';
import {
  DEAD_LETTER_COLUMNS,
  ENDPOINT_COLUMNS,
  EVENT_COLUMNS,
  LABEL_SET_COLUMNS,
  SKIPPED_EVENT_COLUMNS,
} from './tables.js';

/** Names and types of a table's own columns, as its migration has them; aliases are not written. */
function migrated(file: string, table: string): string[] {
  const path = fileURLToPath(new URL(`../../../../migrations/clickhouse/${file}`, import.meta.url));
  const sql = readFileSync(path, 'utf8');
  const body =
    sql.split(`CREATE TABLE IF NOT EXISTS ${table}{{ON_CLUSTER}}\n(\n`)[1]?.split('\n)\n')[0] ?? '';
  return body
    .split('\n')
    .filter((line) => !/ ALIAS | INDEX /.test(` ${line}`))
    .map((line) =>
      line
        .trim()
        .replace(/ (COMMENT|CODEC|DEFAULT).*$/, '')
        .replace(/,$/, ''),
    );
}

describe('column batches', () => {
  it('of flows have the columns of the migration, in its order', () => {
    const columns = FLOW_FIELDS.map(({ column, type }) => `${column} ${type}`);
    expect(columns).toEqual(migrated('0001_flows.sql', 'flows'));
  });

  it('of flows are stored as the last migration says', () => {
    const path = fileURLToPath(
      new URL('../../../../migrations/clickhouse/0015_plain_lists.sql', import.meta.url),
    );
    const changed = [...readFileSync(path, 'utf8').matchAll(/MODIFY COLUMN (\w+) (\S+) CODEC/g)];
    const stored = FLOW_FIELDS.filter((field) => field.stored !== undefined);
    expect(stored.map((field) => `${field.column} ${field.stored}`)).toEqual(
      changed.map(([, column, type]) => `${column} ${type}`),
    );
  });

  it.each([
    ['0002_label_sets.sql', 'label_sets', LABEL_SET_COLUMNS],
    ['0003_endpoints.sql', 'endpoints', ENDPOINT_COLUMNS],
    ['0004_events.sql', 'events', EVENT_COLUMNS],
    ['0005_ledger.sql', 'dead_letters', DEAD_LETTER_COLUMNS],
    ['0005_ledger.sql', 'skipped_events', SKIPPED_EVENT_COLUMNS],
  ] as const)('%s: of %s too', (file, table, columns) => {
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual(migrated(file, table));
  });

  it('carry exactly those columns, and one value a row in each', () => {
    const { flows } = projectLines(['{"flow":{"verdict":1}}', '{"flow":{"verdict":2}}']);
    expect(flows.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(
      FLOW_FIELDS.map(({ column, type }) => `${column} ${type}`),
    );
    for (const column of flows.columns) {
      const values =
        column.kind === 'fixed'
          ? 2
          : column.kind === 'dictionary'
            ? column.indices.length
            : column.ends.length;
      expect([column.name, values]).toEqual([column.name, 2]);
    }
  });

  it('lay out both sides of a flow alike', () => {
    const side = (prefix: string) =>
      FLOW_FIELDS.filter(({ column, type }) => column.startsWith(`${prefix}_`) && lanesOf(type) > 0)
        .filter(({ column }) => !/_(ip|port|ip_xlated)$/.test(column))
        .map(({ column }) => [column.slice(4), laneOf(column) - laneOf(`${prefix}_endpoint_id`)]);
    expect(side('dst')).toEqual(side('src'));
  });
});

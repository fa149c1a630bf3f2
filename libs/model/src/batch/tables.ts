import type { ColumnSpec } from './table-builder.js';

/** `name Type` lines as column specs. */
function columns(text: string): readonly ColumnSpec[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, name = '', type = ''] = /^\s*(\S+) (.+)$/.exec(line) ?? [];
      return { name, type: type as ColumnSpec['type'] };
    });
}

const PLACE = `
  _le UInt64
  _lp UInt16
  _lo UInt64
  _li UInt32`;

/** Columns of `events`; like those below as in migrations/clickhouse, compared by a test. */
export const EVENT_COLUMNS = columns(`${PLACE}
  tenant LowCardinality(String)
  cluster LowCardinality(String)
  node LowCardinality(String)
  bucket_time DateTime64(9, 'UTC')
  time_shift Int64
  time_quality UInt8
  event_key UInt64
  kind LowCardinality(String)
  type Int32
  count UInt64
  first_time DateTime64(9, 'UTC')
  last_time DateTime64(9, 'UTC')
  nodes Array(LowCardinality(String))
  namespace LowCardinality(String)
  pod LowCardinality(String)
  labels Array(LowCardinality(String))
  text String
  bytes String`);

/** Columns of `label_sets`. */
export const LABEL_SET_COLUMNS = columns(`
  tenant LowCardinality(String)
  id UInt64
  labels Array(LowCardinality(String))`);

/** Columns of `endpoints`. */
export const ENDPOINT_COLUMNS = columns(`
  tenant LowCardinality(String)
  cluster LowCardinality(String)
  hour DateTime('UTC')
  ip IPv6
  namespace LowCardinality(String)
  pod LowCardinality(String)
  identity UInt32
  workload_kind LowCardinality(String)
  workload LowCardinality(String)
  service_namespace LowCardinality(String)
  service_name LowCardinality(String)`);

/** Columns of `dead_letters`. */
export const DEAD_LETTER_COLUMNS = columns(`${PLACE}
  tenant LowCardinality(String)
  cluster LowCardinality(String)
  node LowCardinality(String)
  received DateTime64(3, 'UTC')
  source LowCardinality(String)
  codec LowCardinality(String)
  reason LowCardinality(String)
  size UInt64
  bytes String`);

/** Columns of `skipped_events`. */
export const SKIPPED_EVENT_COLUMNS = columns(`${PLACE}
  reason LowCardinality(String)
  event_key UInt64
  received DateTime64(3, 'UTC')`);

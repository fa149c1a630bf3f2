/**
 * A table kept by a materialised view on `flows`. All its aggregates are independent of order, so it can be corrected by
 * inserting differences. Must agree with `migrations/clickhouse` (tested).
 */
export interface Rollup {
  readonly table: string;
  readonly view: string;
  /** Group keys; `bucket` and `_lp` are always among them. */
  readonly keys: readonly string[];
  /** Integer sums: a correction may be negative. */
  readonly sums: readonly string[];
  /** `sumMap` of bucket to count. */
  readonly histograms: readonly string[];
  readonly minima: readonly string[];
  readonly maxima: readonly string[];
}

const EDGE = ['server_namespace', 'server_workload', 'client_namespace', 'client_workload'];
const CALL = ['tenant', 'cluster', 'bucket', ...EDGE, 'l7_kind', 'server_port'];
const RED = {
  keys: [...CALL, 'endpoint', 'reporter', '_lp'],
  sums: ['requests', 'denied', 'faults', 'failures', 'latency_known', 'latency_sum_ns'],
  histograms: ['latency_histogram'],
  minima: [],
  maxima: ['latency_max_ns'],
};
const EDGES = {
  keys: ['tenant', 'cluster', 'bucket', ...EDGE, 'l4_protocol', 'server_port', 'known', 'point', '_lp'],
  sums: [
    'flows',
    'connections',
    'forwarded',
    'drops',
    'audited',
    'resets',
    'syns',
    'fins',
    'trace_flows',
    'encrypted_flows',
  ],
  histograms: [],
  minima: ['first_seen'],
  maxima: ['last_seen'],
};

/** Every rollup there is. */
export const ROLLUPS: readonly Rollup[] = [
  { table: 'red_1m', view: 'red_1m_mv', ...RED },
  { table: 'red_1h', view: 'red_1h_mv', ...RED },
  { table: 'red_edges_1h', view: 'red_edges_1h_mv', ...RED, keys: [...CALL, 'reporter', '_lp'] },
  { table: 'edges_1m', view: 'edges_1m_mv', ...EDGES },
  { table: 'edges_1h', view: 'edges_1h_mv', ...EDGES },
  {
    table: 'drops_1m',
    view: 'drops_1m_mv',
    keys: [
      'tenant',
      'cluster',
      'bucket',
      'drop_reason',
      'traffic_direction',
      ...EDGE,
      'l4_protocol',
      'server_port',
      'node',
      '_lp',
    ],
    sums: ['drops', 'audited'],
    histograms: [],
    minima: ['first_seen'],
    maxima: ['last_seen'],
  },
];

/** The parts of the repair statements that a rollup decides. Pure; names come from {@link ROLLUPS} only. */
export function repairFragments(rollup: Rollup, viewSelect: string): Readonly<Record<string, string>> {
  const { table, keys, sums, histograms, minima, maxima } = rollup;
  const signedMap = (name: string): string => `sumMap(mapApply((k, v) -> (k, v * sign), ${name}))`;
  const both = 'countIf(sign = 1) > 0 AND countIf(sign = -1) > 0';
  const corrections = [
    ...sums.map((name) => `sum(t.${name} * sign)`),
    ...histograms.map((name) => signedMap(`t.${name}`)),
    ...minima.map((name) => `min(t.${name})`),
    ...maxima.map((name) => `max(t.${name})`),
  ];
  const differs = [
    ...sums.map((name) => `sum(t.${name} * sign) != 0`),
    ...histograms.map((name) => `arrayExists(v -> v != 0, mapValues(${signedMap(`t.${name}`)}))`),
    // Only where both sides have the key: with one side missing, a sum differs or the row says nothing any more.
    ...minima.map((name) => `(${both} AND minIf(t.${name}, sign = 1) < minIf(t.${name}, sign = -1))`),
    ...maxima.map((name) => `(${both} AND maxIf(t.${name}, sign = 1) > maxIf(t.${name}, sign = -1))`),
  ];
  return {
    table,
    view: viewSelect,
    keys: keys.join(', '),
    columns: [...keys, ...sums, ...histograms, ...minima, ...maxima].join(', '),
    corrections: corrections.join(', '),
    differs: differs.join(' OR '),
  };
}

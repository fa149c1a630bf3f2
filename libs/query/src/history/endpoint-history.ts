import { addressText } from '../flows/address-text.js';
import type { EndpointRecord } from '../flows/flow-record.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { floorTo, HOUR_NS, SECOND_NS } from '../window.js';

const HISTORY = new SqlTemplate('endpoint-history');
/** Tenants of one address and hour that the statement tells apart. */
const MOST_TENANTS = 64;

/** An address in an hour of a cluster: what the endpoint history is asked about. */
export interface HistoryKey {
  readonly cluster: string;
  /** Start of the hour, s since 1970. */
  readonly hourS: number;
  /** As flows show it: IPv4 unmapped. */
  readonly ip: string;
}

/** A row of the statement; a tenant is (namespace, pod, workload kind, workload, service namespace, service). */
export interface HistoryRow {
  readonly cluster: string;
  readonly hour_s: number;
  readonly address: string;
  readonly was: readonly (readonly [string, string, string, string, string, string])[];
}

/** What the history says about one side of a flow; null = it does not know, or two answers are possible. */
export interface WasEndpoint {
  readonly workload: { readonly kind: string; readonly name: string } | null;
  readonly service: { readonly namespace: string; readonly name: string } | null;
}

/** Nothing known. */
export const NOBODY: WasEndpoint = { workload: null, service: null };

/** The key of a side of a flow that was kept at `bucketNs`; undefined without an address. */
export function historyKey(
  cluster: string,
  bucketNs: bigint,
  side: Pick<EndpointRecord, 'ip'>,
): HistoryKey | undefined {
  if (side.ip === null) return undefined;
  return { cluster, hourS: Number(floorTo(bucketNs, HOUR_NS) / SECOND_NS), ip: side.ip };
}

/** Name of a key in the map of {@link readHistory}. */
export function historyKeyText({ cluster, hourS, ip }: HistoryKey): string {
  return `${cluster}\n${hourS}\n${ip}`;
}

/** Plans one look-up of any number of keys; each key at most once. */
export function planHistory(keys: readonly HistoryKey[], context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('hours', [...new Set(keys.map((key) => key.hourS))]);
  binder.name('clusters', [...new Set(keys.map((key) => key.cluster))]);
  binder.name(
    'asked_clusters',
    keys.map((key) => key.cluster),
  );
  binder.name(
    'asked_hours',
    keys.map((key) => key.hourS),
  );
  binder.name(
    'asked_addresses',
    keys.map((key) => key.ip),
  );
  binder.name('limit', keys.length);
  const sql = HISTORY.fill({});
  return {
    name: HISTORY.name,
    sql,
    params: binder.usedBy(sql),
    settings: settingsFor(context, keys.length + 1),
  };
}

/** Rows by {@link historyKeyText}. */
export function readHistory(rows: readonly HistoryRow[]): ReadonlyMap<string, HistoryRow> {
  return new Map(
    rows.map((row) => {
      const ip = addressText(row.address);
      return [historyKeyText({ cluster: row.cluster, hourS: Number(row.hour_s), ip }), row];
    }),
  );
}

/** The one value there is; null when there is none or several. */
function only<T>(values: ReadonlyMap<string, T>): T | null {
  const [first] = values.values();
  return first !== undefined && values.size === 1 ? first : null;
}

/**
 * What the history knows about a side of a flow. A side that names its pod only believes what was said of that pod; one
 * that does not believes what was said of the address, unless it had several tenants in that hour.
 */
export function wasEndpoint(
  row: HistoryRow | undefined,
  side: Pick<EndpointRecord, 'namespace' | 'pod'>,
): WasEndpoint {
  if (row === undefined || row.was.length >= MOST_TENANTS) return NOBODY;
  const mine = row.was.filter(
    ([namespace, pod]) =>
      (side.pod === '' || pod === side.pod) && (side.namespace === '' || namespace === side.namespace),
  );
  const workloads = mine
    .filter(([, , , name]) => name !== '')
    .map(([namespace, , kind, name]): [string, { kind: string; name: string }] => [
      `${namespace}/${kind}/${name}`,
      { kind, name },
    ]);
  const services = row.was
    .filter(([, , , , , name]) => name !== '')
    .map(([, , , , namespace, name]): [string, { namespace: string; name: string }] => [
      `${namespace}/${name}`,
      { namespace, name },
    ]);
  return { workload: only(new Map(workloads)), service: only(new Map(services)) };
}

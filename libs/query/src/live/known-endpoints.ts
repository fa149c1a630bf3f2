import type { ColumnBatch } from '@flowledger/model';
import type { EndpointHistory, HistoricEndpoint } from '../filter/endpoint-history.js';
import { addressText } from '../flows/address-text.js';
import { ParamBinder } from '../param-binder.js';
import { settingsFor, type QueryContext, type QueryPlan } from '../query-plan.js';
import { SqlTemplate } from '../sql-template.js';
import { BatchColumns } from './batch-columns.js';

const ENDPOINTS = new SqlTemplate('endpoints-of-hours');
const HOUR_NS = 3_600_000_000_000n;
const NOBODY: readonly HistoricEndpoint[] = [];

/** The hour of a time, in seconds since 1970, as the table `endpoints` has it. */
export function hourOf(timeNs: bigint): number {
  return Number(timeNs / HOUR_NS) * 3600;
}

/** An address and what it was in one hour, as the store answers it. */
export interface HourEndpointRow {
  readonly cluster: string;
  readonly hour_s: number;
  readonly address: string;
  readonly was: readonly (readonly [string, string, string, string])[];
}

/** Plans reading everybody of some hours (seconds since 1970); at most `limit` addresses. */
export function planHourEndpoints(hours: readonly number[], limit: number, context: QueryContext): QueryPlan {
  const binder = new ParamBinder();
  binder.name('tenant', context.tenant);
  binder.name('hours', hours);
  binder.name('limit', limit);
  const sql = ENDPOINTS.fill({});
  return { name: ENDPOINTS.name, sql, params: binder.usedBy(sql), settings: settingsFor(context, limit) };
}

/**
 * The table `endpoints` of some hours in memory: filled with rows of {@link planHourEndpoints} and with what the live tail
 * decodes itself. A set, as the table is. Holds at most `maxAddresses`; whole hours go, the earliest first.
 */
export class KnownEndpoints implements EndpointHistory {
  readonly #hours = new Map<number, Map<string, HistoricEndpoint[]>>();
  #addresses = 0;

  constructor(private readonly maxAddresses: number) {}

  /** Addresses held. */
  get size(): number {
    return this.#addresses;
  }

  at(cluster: string, timeNs: bigint, ip: string): readonly HistoricEndpoint[] {
    return this.#hours.get(hourOf(timeNs))?.get(keyOf(cluster, ip)) ?? NOBODY;
  }

  /** Whether rows of an hour were added and have not gone since. */
  holds(hour: number): boolean {
    return this.#hours.has(hour);
  }

  /** Adds what the store knows of these hours. */
  add(hours: readonly number[], rows: readonly HourEndpointRow[]): void {
    for (const hour of hours) this.#hourOf(hour);
    for (const { cluster, hour_s: hour, address, was } of rows)
      for (const [workload, workloadKind, serviceNamespace, serviceName] of was)
        this.#learn(hour, keyOf(cluster, addressText(address)), {
          workload,
          workloadKind,
          serviceNamespace,
          serviceName,
        });
    this.#forget();
  }

  /** Adds the rows of a batch of the table; hours that are not held stay unknown, since the batch is not all of them. */
  learn(batch: ColumnBatch, tenant: string): void {
    const columns = new BatchColumns(batch);
    const text = (name: string, row: number): string => columns.column(name).text(row);
    for (let row = 0; row < batch.rows; row++) {
      const hour = columns.column('hour').number(row);
      if (text('tenant', row) !== tenant || !this.holds(hour)) continue;
      this.#learn(hour, keyOf(text('cluster', row), addressText(text('ip', row))), {
        workload: text('workload', row),
        workloadKind: text('workload_kind', row),
        serviceNamespace: text('service_namespace', row),
        serviceName: text('service_name', row),
      });
    }
    this.#forget();
  }

  #learn(hour: number, key: string, found: HistoricEndpoint): void {
    if (found.workload === '' && found.serviceName === '') return;
    const addresses = this.#hourOf(hour);
    const known = addresses.get(key);
    if (known === undefined) {
      addresses.set(key, [found]);
      this.#addresses++;
    } else if (!known.some((one) => same(one, found))) known.push(found);
  }

  #hourOf(hour: number): Map<string, HistoricEndpoint[]> {
    const known = this.#hours.get(hour) ?? new Map<string, HistoricEndpoint[]>();
    this.#hours.set(hour, known);
    return known;
  }

  #forget(): void {
    while (this.#addresses > this.maxAddresses && this.#hours.size > 1) {
      const earliest = Math.min(...this.#hours.keys());
      this.#addresses -= this.#hours.get(earliest)?.size ?? 0;
      this.#hours.delete(earliest);
    }
  }
}

function keyOf(cluster: string, address: string): string {
  return `${cluster} ${address}`;
}

function same(a: HistoricEndpoint, b: HistoricEndpoint): boolean {
  return (
    a.workload === b.workload &&
    a.workloadKind === b.workloadKind &&
    a.serviceNamespace === b.serviceNamespace &&
    a.serviceName === b.serviceName
  );
}

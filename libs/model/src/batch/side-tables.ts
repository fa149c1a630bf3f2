import type { ColumnBatch } from '../columns.js';
import {
  neverSeen,
  NO_ENDPOINT,
  type CachedEndpoint,
  type CachedLabelSet,
  type LastSeen,
} from '../hubble/cached-endpoint.js';
import { EndpointRows } from './endpoint-rows.js';
import type { FlowBatch } from './flow-batch.js';
import { laneOf } from './lanes.js';
import type { StringTable } from './string-table.js';
import { TableBuilder } from './table-builder.js';
import { LABEL_SET_COLUMNS } from './tables.js';
import { Translations } from './translations.js';

const HOUR_S = 3600;
const CLUSTER = laneOf('cluster');

/** The columns of one side of a flow that a row of `endpoints` is made of. */
export interface SideLanes {
  readonly ip: number;
  readonly serviceNamespace: number;
  readonly serviceName: number;
}

/** Lanes of the source side. */
export const SOURCE_LANES: SideLanes = {
  ip: laneOf('src_ip'),
  serviceNamespace: laneOf('src_service_namespace'),
  serviceName: laneOf('src_service_name'),
};

/** Lanes of the destination side. */
export const DESTINATION_LANES: SideLanes = {
  ip: laneOf('dst_ip'),
  serviceNamespace: laneOf('dst_service_namespace'),
  serviceName: laneOf('dst_service_name'),
};

/** What a row tells of an endpoint: the lane of its address, and a service, or none. */
interface Told {
  readonly ip: number;
  readonly bucketS: number;
  readonly serviceNamespace: number;
  readonly serviceName: number;
}

/**
 * The tables that flows refer to or refine: each label set that a row of this batch names, and who had which address in
 * which hour. Sets, in order of first use: what an earlier batch already wrote is written again, so that a batch
 * depends on its own records only.
 *
 * Cached label sets and endpoints carry the mark of the batch and tenant that wrote them last, so that the usual case,
 * written already, costs a comparison.
 */
export class SideTables {
  readonly labelSets = new TableBuilder('label_sets', LABEL_SET_COLUMNS);
  readonly endpoints: EndpointRows;
  readonly #marks = new Map<number, number>();
  readonly #labelSetsSeen = new Set<string>();
  /** {@link NO_ENDPOINT} is everybody's; marks are this object's own. */
  readonly #nobodySeen = neverSeen();
  /** Backends that were noted, by what they are. */
  readonly #backendsSeen = new Map<CachedEndpoint, LastSeen>();
  readonly #translations = new Translations();
  #tenant = 0;
  #mark = 0;
  #lastMark = 0;

  constructor(
    private readonly strings: StringTable,
    private readonly flows: FlowBatch,
  ) {
    this.endpoints = new EndpointRows(strings);
  }

  /** Estimated bytes. */
  get size(): number {
    return this.labelSets.size + this.endpoints.size;
  }

  /** Names the tenant (string id) of the flows that follow, which are those of one record. */
  begin(tenant: number): void {
    this.#translations.clear();
    const mark = this.#marks.get(tenant);
    this.#tenant = tenant;
    this.#mark = mark ?? ++this.#lastMark;
    if (mark === undefined) this.#marks.set(tenant, this.#mark);
  }

  /** Notes a label set that the open row of `flows` names. */
  labelSet(set: CachedLabelSet): void {
    if (set.writtenBy === this.#mark || set.labels.length === 0) return;
    set.writtenBy = this.#mark;
    const key = `${this.#tenant}:${set.hi}:${set.lo}`;
    if (this.#labelSetsSeen.has(key)) return;
    this.#labelSetsSeen.add(key);
    const id = (BigInt(set.hi >>> 0) << 32n) | BigInt(set.lo >>> 0);
    const labels = set.labels.map((label) => this.strings.textOf(label));
    this.labelSets.append([this.strings.viewOf(this.#tenant), id, labels]);
  }

  /** Notes one side of the open row: endpoints of the observing node, and addresses known as a service. */
  endpoint(endpoint: CachedEndpoint, side: SideLanes, bucketS: number): void {
    const { lanes, base } = this.flows;
    const serviceName = lanes[base + side.serviceName] ?? 0;
    if (serviceName === 0 && (endpoint.id === 0 || endpoint.pod === 0)) return;
    const last = endpoint === NO_ENDPOINT ? this.#nobodySeen : endpoint.lastSeen;
    const serviceNamespace = lanes[base + side.serviceNamespace] ?? 0;
    this.#note(endpoint, last, { ip: side.ip, bucketS, serviceNamespace, serviceName });
  }

  /** Notes the destination of the open row as a backend of the service whose address was translated to it. */
  backend(endpoint: CachedEndpoint, bucketS: number): void {
    const { lanes, base } = this.flows;
    const service = this.#translations.note(lanes, base);
    if (service === undefined) return;
    let last = this.#backendsSeen.get(endpoint);
    if (last === undefined) this.#backendsSeen.set(endpoint, (last = neverSeen()));
    const { serviceNamespace, serviceName } = service;
    this.#note(endpoint, last, { ip: DESTINATION_LANES.ip, bucketS, serviceNamespace, serviceName });
  }

  #note(endpoint: CachedEndpoint, last: LastSeen, told: Told): void {
    const { lanes, base } = this.flows;
    const { bucketS, serviceNamespace, serviceName } = told;
    const cluster = lanes[base + CLUSTER] ?? 0;
    const hour = bucketS - (bucketS % HOUR_S);
    const at = base + told.ip;
    const ip0 = (lanes[at] ?? 0) | 0;
    const ip1 = (lanes[at + 1] ?? 0) | 0;
    const ip2 = (lanes[at + 2] ?? 0) | 0;
    const ip3 = (lanes[at + 3] ?? 0) | 0;
    const same =
      last.notedBy === this.#mark &&
      last.hour === hour &&
      last.ip3 === ip3 &&
      last.ip2 === ip2 &&
      last.ip1 === ip1 &&
      last.ip0 === ip0 &&
      last.serviceName === serviceName &&
      last.serviceNamespace === serviceNamespace &&
      last.cluster === cluster;
    if (same) return;
    last.notedBy = this.#mark;
    last.cluster = cluster;
    last.hour = hour;
    last.serviceName = serviceName;
    last.serviceNamespace = serviceNamespace;
    last.ip0 = ip0;
    last.ip1 = ip1;
    last.ip2 = ip2;
    last.ip3 = ip3;
    this.endpoints.add(this.#tenant, endpoint, last);
  }

  take(): { readonly labelSets: ColumnBatch; readonly endpoints: ColumnBatch } {
    this.#marks.clear();
    this.#labelSetsSeen.clear();
    this.#backendsSeen.clear();
    this.begin(this.#tenant);
    return { labelSets: this.labelSets.take(), endpoints: this.endpoints.take() };
  }
}

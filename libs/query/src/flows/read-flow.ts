import { decodePolicies, type PolicyRef } from '../policies.js';
import { RowColumns, type ColumnReader, type ColumnReaders } from './column-reader.js';
import { coreColumns, type CoreColumns } from './core-columns.js';
import { encodeFlowId } from './flow-cursor.js';
import type { FlowPosition } from './flow-cursor.js';
import type {
  DnsRecord,
  EndpointRecord,
  FlowRecord,
  FlowRow,
  FlowWire,
  HttpRecord,
  KafkaRecord,
} from './flow-record.js';
import { addressOf, endpointColumns, readEndpoint, type EndpointColumns } from './read-endpoint.js';
import { layer7Columns, readDns, readHttp, readKafka, type Layer7Columns } from './read-layer7.js';
import { readWire, wireColumns, type WireColumns } from './read-wire.js';

const NO_UUID = '00000000-0000-0000-0000-000000000000';
const REPLY = [null, false, true] as const;
const CLIENT = [null, 'source', 'destination'] as const;

/** All columns of a page. */
interface PageColumns {
  readonly core: CoreColumns;
  readonly source: EndpointColumns;
  readonly destination: EndpointColumns;
  readonly layer7: Layer7Columns;
  readonly wire: WireColumns;
}

/**
 * A flow that holds nothing of the page it was read from. What few readers ask for and costs much is made when it is asked
 * for: streams of thousands of flows need neither ids nor the names of policies.
 */
class ReadFlow implements FlowRecord {
  readonly position: FlowPosition;
  readonly uuid: string | null;
  readonly timeNs: bigint;
  readonly timeQuality: number;
  readonly cluster: string;
  readonly node: string;
  readonly verdict: number;
  readonly dropReason: number;
  readonly authType: number;
  readonly flowType: number;
  readonly eventType: number;
  readonly eventSubType: number;
  readonly isReply: boolean | null;
  readonly trafficDirection: number;
  readonly policyMatchType: number;
  readonly traceObservationPoint: number;
  readonly traceReason: number;
  readonly proxyPort: number;
  readonly interface: FlowRecord['interface'];
  readonly file: FlowRecord['file'];
  readonly ipVersion: number;
  readonly sourceIpXlated: string | null;
  readonly encrypted: boolean | null;
  readonly l4Protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tcpFlags: number | null;
  readonly icmp: FlowRecord['icmp'];
  readonly source: EndpointRecord;
  readonly destination: EndpointRecord;
  readonly client: FlowRecord['client'];
  readonly serverPort: number;
  readonly l7Type: number;
  readonly l7Kind: number;
  readonly latencyNs: bigint | null;
  readonly http: HttpRecord | null;
  readonly dns: DnsRecord | null;
  readonly kafka: KafkaRecord | null;
  readonly endpoint: string;
  readonly policyLog: readonly string[];
  readonly traceId: string | null;
  readonly weight: bigint;
  readonly summary: string;
  readonly extra: Uint8Array;
  readonly wire: FlowWire | null;
  readonly #policies: Uint8Array;

  constructor({ core, source, destination, layer7, wire }: PageColumns, row: number) {
    this.position = positionOf(core, row);
    this.uuid = uuidOf(core.uuid.text(row));
    this.timeNs = this.position.bucketNs + core.timeShift.bigint(row);
    this.timeQuality = core.timeQuality.number(row);
    this.cluster = core.cluster.text(row);
    this.node = core.node.text(row);
    this.verdict = core.verdict.number(row);
    this.dropReason = core.dropReason.number(row);
    this.authType = core.authType.number(row);
    this.flowType = core.flowType.number(row);
    this.eventType = core.eventType.number(row);
    this.eventSubType = core.eventSubType.number(row);
    this.isReply = REPLY[core.isReply.number(row)] ?? null;
    this.trafficDirection = core.trafficDirection.number(row);
    this.policyMatchType = core.policyMatchType.number(row);
    this.traceObservationPoint = core.traceObservationPoint.number(row);
    this.traceReason = core.traceReason.number(row);
    this.proxyPort = core.proxyPort.number(row);
    this.interface = interfaceOf(core, row);
    this.file = fileOf(core, row);
    this.ipVersion = core.ipVersion.number(row);
    this.sourceIpXlated = addressOf(core.sourceIpXlated.text(row), 0);
    this.encrypted = this.eventType === 4 ? core.encrypted.number(row) === 1 : null;
    this.l4Protocol = core.l4Protocol.number(row);
    this.sourcePort = core.sourcePort.number(row);
    this.destinationPort = core.destinationPort.number(row);
    this.tcpFlags = flagsOf(core.tcpFlags, row);
    this.icmp = this.l4Protocol === 3 || this.l4Protocol === 4 ? icmpOf(core, row) : null;
    this.source = readEndpoint(source, row, this.ipVersion);
    this.destination = readEndpoint(destination, row, this.ipVersion);
    this.client = CLIENT[core.clientSide.number(row)] ?? null;
    this.serverPort = core.serverPort.number(row);
    this.l7Type = core.l7Type.number(row);
    this.l7Kind = core.l7Kind.number(row);
    this.latencyNs = core.latencyNs.bigint(row) || null;
    this.http = this.l7Kind === 2 ? readHttp(layer7, row) : null;
    this.dns = this.l7Kind === 1 ? readDns(layer7, row) : null;
    this.kafka = this.l7Kind === 3 ? readKafka(layer7, row) : null;
    this.endpoint = core.endpoint.text(row);
    this.policyLog = core.policyLog.list(row);
    this.traceId = core.traceId.text(row) || null;
    this.weight = core.weight?.bigint(row) ?? 1n;
    this.summary = core.summary.text(row);
    this.extra = core.extra.bytes(row);
    this.#policies = core.policies.bytes(row);
    this.wire = readWire(wire, row, this.#policies);
  }

  get id(): string {
    return encodeFlowId(this.position);
  }

  get policies(): readonly PolicyRef[] {
    return decodePolicies(this.#policies, this.dropReason);
  }
}

function positionOf(core: CoreColumns, row: number): FlowPosition {
  return {
    bucketNs: core.bucketNs.bigint(row),
    logEpoch: core.logEpoch.bigint(row),
    partition: core.partition.number(row),
    offset: core.offset.bigint(row),
    index: core.index.number(row),
  };
}

function uuidOf(text: string): string | null {
  return text === NO_UUID || text === '' ? null : text;
}

function interfaceOf(core: CoreColumns, row: number): FlowRecord['interface'] {
  const [index, name] = [core.interfaceIndex.number(row), core.interfaceName.text(row)];
  return index === 0 && name === '' ? null : { index, name };
}

function fileOf(core: CoreColumns, row: number): FlowRecord['file'] {
  const [name, line] = [core.fileName.text(row), core.fileLine.number(row)];
  return name === '' && line === 0 ? null : { name, line };
}

function icmpOf(core: CoreColumns, row: number): FlowRecord['icmp'] {
  return { type: core.icmpType.number(row), code: core.icmpCode.number(row) };
}

/** Bit 9 of the column says that a flags message was sent. */
function flagsOf(column: ColumnReader, row: number): number | null {
  const flags = column.number(row);
  return (flags & 512) === 0 ? null : flags & 511;
}

/** Turns a row of a flow page into a {@link FlowRecord}. */
export function readFlow(row: FlowRow): FlowRecord {
  return flowReader(new RowColumns([row]))(0);
}

/** Looks the columns of a page up once and reads its flows by row. */
export function flowReader(columns: ColumnReaders): (row: number) => FlowRecord {
  const page = {
    core: coreColumns(columns),
    source: endpointColumns(columns, 'src'),
    destination: endpointColumns(columns, 'dst'),
    layer7: layer7Columns(columns),
    wire: wireColumns(columns),
  };
  return (row) => new ReadFlow(page, row);
}

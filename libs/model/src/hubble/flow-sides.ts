import { laneOf } from '../batch/lanes.js';
import { clientSide, serverPort, type CallEvidence } from '../normalise/client-side.js';
import { NO_ENDPOINT, type CachedEndpoint } from './cached-endpoint.js';
import type { FlowContext, Span } from './flow-context.js';

const VERDICT = laneOf('verdict');
const EVENT_TYPE = laneOf('event_type');
const IS_REPLY = laneOf('is_reply');
const TRAFFIC_DIRECTION = laneOf('traffic_direction');
const L4_PROTOCOL = laneOf('l4_protocol');
const SRC_PORT = laneOf('src_port');
const DST_PORT = laneOf('dst_port');
const TCP_FLAGS = laneOf('tcp_flags');
const ICMP_TYPE = laneOf('icmp_type');
const L7_KIND = laneOf('l7_kind');
const L7_TYPE = laneOf('l7_type');
const SRC_ENDPOINT_ID = laneOf('src_endpoint_id');
const DST_ENDPOINT_ID = laneOf('dst_endpoint_id');
const SRC_SERVICE_NAME = laneOf('src_service_name');
const DST_SERVICE_NAME = laneOf('dst_service_name');
const CLIENT_SIDE = laneOf('client_side');
const CLIENT_NAMESPACE = laneOf('client_namespace');
const CLIENT_WORKLOAD = laneOf('client_workload');
const SERVER_NAMESPACE = laneOf('server_namespace');
const SERVER_WORKLOAD = laneOf('server_workload');
const SERVER_PORT = laneOf('server_port');
/** Lanes of one side's columns, counted from `src_endpoint_id` or `dst_endpoint_id`. */
const IDENTITY = laneOf('src_identity') - SRC_ENDPOINT_ID;
const NAMESPACE = laneOf('src_namespace') - SRC_ENDPOINT_ID;
const LABEL_SET = laneOf('src_label_set') - SRC_ENDPOINT_ID;
const POD = laneOf('src_pod') - SRC_ENDPOINT_ID;
const ENDPOINT_CLUSTER = laneOf('src_cluster') - SRC_ENDPOINT_ID;
const WORKLOAD = laneOf('src_workload') - SRC_ENDPOINT_ID;
const WORKLOAD_KIND = laneOf('src_workload_kind') - SRC_ENDPOINT_ID;

/** The two sides of the open flow: its endpoints, and which of them called the other. */
export class FlowSides {
  source: CachedEndpoint = NO_ENDPOINT;
  destination: CachedEndpoint = NO_ENDPOINT;
  readonly #call: CallEvidence = {
    eventType: -1,
    verdict: 0,
    isReply: 0,
    trafficDirection: 0,
    l4Protocol: 0,
    srcPort: 0,
    dstPort: 0,
    tcpFlags: 0,
    icmpType: 0,
    l7Kind: 0,
    l7Type: 0,
    srcLocal: false,
    dstLocal: false,
    srcService: false,
    dstService: false,
  };

  constructor(private readonly context: FlowContext) {}

  /** Fills the columns of both endpoints. A malformed one makes the reader bad. */
  finishEndpoints(): void {
    this.source = this.#side(this.context.source, SRC_ENDPOINT_ID, 8);
    this.destination = this.#side(this.context.destination, DST_ENDPOINT_ID, 9);
    this.#workloads();
  }

  #side(span: Span, lane: number, field: number): CachedEndpoint {
    if (!span.present) return NO_ENDPOINT;
    const { context } = this;
    if (span.start === span.end) context.noteEmpty(field);
    const endpoint = context.endpoints.endpoint(span.view, span.buf, span.start, span.end);
    if (endpoint === undefined) {
      context.reader.fail(context.endpoints.reason);
      return NO_ENDPOINT;
    }
    context.set(lane, endpoint.id);
    context.set(lane + IDENTITY, endpoint.identity);
    context.set(lane + NAMESPACE, endpoint.namespace);
    context.set(lane + LABEL_SET, endpoint.labelSet.lo);
    context.set(lane + LABEL_SET + 1, endpoint.labelSet.hi);
    context.set(lane + POD, endpoint.pod);
    context.set(lane + ENDPOINT_CLUSTER, endpoint.cluster);
    context.set(lane + WORKLOAD, endpoint.workload);
    context.set(lane + WORKLOAD_KIND, endpoint.workloadKind);
    if (endpoint.extra !== undefined) context.batch.extra.bytesField(field, endpoint.extra);
    return endpoint;
  }

  #workloads(): void {
    const { batch } = this.context;
    for (const workload of this.source.workloads) batch.sourceWorkloads.add(workload);
    for (const workload of this.destination.workloads) batch.destinationWorkloads.add(workload);
  }

  /** Fills the columns of client and server; everything they depend on must be there. */
  finishCall(): void {
    const { context } = this;
    const call = this.#call;
    call.eventType = context.get(EVENT_TYPE) | 0;
    call.verdict = context.get(VERDICT);
    call.isReply = context.get(IS_REPLY);
    call.trafficDirection = context.get(TRAFFIC_DIRECTION);
    call.l4Protocol = context.get(L4_PROTOCOL);
    call.srcPort = context.get(SRC_PORT);
    call.dstPort = context.get(DST_PORT);
    call.tcpFlags = context.get(TCP_FLAGS);
    call.icmpType = context.get(ICMP_TYPE);
    call.l7Kind = context.get(L7_KIND);
    call.l7Type = context.get(L7_TYPE);
    call.srcLocal = context.get(SRC_ENDPOINT_ID) !== 0;
    call.dstLocal = context.get(DST_ENDPOINT_ID) !== 0;
    call.srcService = context.get(SRC_SERVICE_NAME) !== 0;
    call.dstService = context.get(DST_SERVICE_NAME) !== 0;
    const side = clientSide(call);
    const client = side === 2 ? this.destination : this.source;
    const server = side === 2 ? this.source : this.destination;
    context.set(CLIENT_SIDE, side);
    context.set(CLIENT_NAMESPACE, client.namespace);
    context.set(CLIENT_WORKLOAD, client.workload);
    context.set(SERVER_NAMESPACE, server.namespace);
    context.set(SERVER_WORKLOAD, server.workload);
    context.set(SERVER_PORT, serverPort(call, side));
  }
}

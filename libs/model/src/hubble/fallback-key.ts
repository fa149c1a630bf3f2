import { laneOf } from '../batch/lanes.js';
import { Hash64 } from '../hash64.js';
import type { EventTime } from './event-time.js';
import { TIME_ABSENT } from './event-time.js';
import type { FlowContext } from './flow-context.js';
import type { NodeScope, RecordScope } from './record-scope.js';

/** Columns of numbers that tell two flows of one node and one nanosecond apart (hubble note, trap 38, and more). */
const NUMBER_COLUMNS: readonly (readonly [column: string, lanes: number])[] = [
  ['verdict', 1],
  ['drop_reason', 1],
  ['flow_type', 1],
  ['event_type', 1],
  ['event_sub_type', 1],
  ['is_reply', 1],
  ['traffic_direction', 1],
  ['trace_observation_point', 1],
  ['sock_xlate_point', 1],
  ['socket_cookie', 2],
  ['src_ip', 4],
  ['dst_ip', 4],
  ['l4_protocol', 1],
  ['src_port', 1],
  ['dst_port', 1],
  ['tcp_flags', 1],
  ['icmp_type', 1],
  ['icmp_code', 1],
  ['src_identity', 1],
  ['dst_identity', 1],
  ['interface_index', 1],
  ['l7_type', 1],
  ['l7_kind', 1],
  ['latency_ns', 2],
  ['http_code', 1],
  ['dns_rcode', 1],
  ['kafka_correlation_id', 1],
  ['weight', 2],
];

const STRING_COLUMNS = [
  'src_namespace',
  'src_pod',
  'dst_namespace',
  'dst_pod',
  'http_method',
  'dns_query',
  'kafka_api_key',
  'kafka_topic',
] as const;

const LANES = NUMBER_COLUMNS.flatMap(([column, lanes]) =>
  Array.from({ length: lanes }, (_, i) => laneOf(column) + i),
);
const STRING_LANES = STRING_COLUMNS.map((column) => laneOf(column));

/**
 * The key of a flow without a uuid: {@link Hash64} over node, time, and the columns above, in that order, strings by
 * their own hash, then the URL and the question types. Over decoded columns, because the JSON and the protobuf bytes of
 * one flow differ. A flow without a time gets its log position into the key instead: two such flows cannot be known to
 * be one.
 */
export class FallbackKey {
  lo = 0;
  hi = 0;
  readonly #hash = new Hash64();

  constructor(private readonly context: FlowContext) {}

  of(node: NodeScope, scope: RecordScope, index: number, time: EventTime): void {
    const { context } = this;
    const hash = this.#hash;
    hash.reset();
    context.strings.feed(hash, node.cluster);
    context.strings.feed(hash, node.node);
    if (time.quality === TIME_ABSENT) {
      hash.word(scope.offsetLo);
      hash.word(scope.offsetHi);
      hash.word(index);
    } else {
      hash.word(context.secondsLo);
      hash.word(context.secondsHi);
      hash.word(context.nanos);
    }
    for (const lane of LANES) hash.word(context.get(lane));
    for (const lane of STRING_LANES) context.strings.feed(hash, context.get(lane));
    context.batch.httpUrl.feedOpen(hash);
    const { dnsQtypes } = context.batch;
    for (let i = 0; i < dnsQtypes.open; i++) context.strings.feed(hash, dnsQtypes.at(i));
    hash.finish();
    this.lo = hash.lo;
    this.hi = hash.hi;
  }
}

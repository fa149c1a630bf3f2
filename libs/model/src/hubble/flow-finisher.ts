import { laneOf } from '../batch/lanes.js';
import { WIRE_VARINT } from '../wire/wire-types.js';
import { NO_LABELS, type CachedLabelSet } from './cached-endpoint.js';
import { EventTime, TIME_INVALID } from './event-time.js';
import { FallbackKey } from './fallback-key.js';
import type { FlowContext } from './flow-context.js';
import { FlowSides } from './flow-sides.js';
import { L7Finisher } from './l7-finisher.js';
import type { NodeScope, RecordScope } from './record-scope.js';
import { parseUuid, UUID_CANONICAL } from './uuid.js';

const LE = laneOf('_le');
const LP = laneOf('_lp');
const LO = laneOf('_lo');
const LI = laneOf('_li');
const TENANT = laneOf('tenant');
const CLUSTER = laneOf('cluster');
const NODE = laneOf('node');
const BUCKET_TIME = laneOf('bucket_time');
const TIME_SHIFT = laneOf('time_shift');
const TIME_QUALITY = laneOf('time_quality');
const UUID = laneOf('uuid');
const FALLBACK_KEY = laneOf('fallback_key');
const DROP_REASON = laneOf('drop_reason');
const EVENT_TYPE = laneOf('event_type');
const IS_REPLY = laneOf('is_reply');
const NODE_LABEL_SET = laneOf('node_label_set');
const POLICIES = laneOf('policies');
const WEIGHT = laneOf('weight');
const AGGREGATE_INGRESS = laneOf('aggregate_ingress');
const AGGREGATE_EGRESS = laneOf('aggregate_egress');
const AGGREGATE_UNKNOWN = laneOf('aggregate_unknown');
const TWO_32 = 0x1_0000_0000;

/** Where rows of this projection come from. */
export interface LogPlace {
  readonly epochLo: number;
  readonly epochHi: number;
  readonly partition: number;
}

/**
 * Completes the open row once all fields of a flow were read: place, time, sides, call, key, and what of the flow has
 * to be kept in `extra`. Everything here is a pure function of the flow, its envelope and its place in the log.
 */
export class FlowFinisher {
  readonly sides: FlowSides;
  nodeLabels: CachedLabelSet = NO_LABELS;
  /** Key of the flow for duplicates, in halves; both 0 when it has none. */
  keyLo = 0;
  keyHi = 0;
  readonly time = new EventTime();
  readonly #l7: L7Finisher;
  readonly #fallback: FallbackKey;

  constructor(
    private readonly context: FlowContext,
    private readonly place: LogPlace,
  ) {
    this.sides = new FlowSides(context);
    this.#l7 = new L7Finisher(context);
    this.#fallback = new FallbackKey(context);
  }

  /** Returns the node that saw the flow. When the reader is bad afterwards the row must be rolled back. */
  finish(scope: RecordScope, index: number, responseNode: number): NodeScope {
    const { context } = this;
    const node = scope.node(context.nodeName === 0 ? responseNode : context.nodeName);
    this.#place(scope, index, node);
    this.#time(scope);
    this.sides.finishEndpoints();
    this.#deprecated();
    this.#weight();
    this.sides.finishCall();
    this.#l7.finish();
    this.#lists();
    this.#summary();
    this.#key(node, scope, index);
    this.#sampled(scope.header?.samplingRate ?? 1);
    return node;
  }

  #place(scope: RecordScope, index: number, node: NodeScope): void {
    const { context, place } = this;
    context.set(LE, place.epochLo);
    context.set(LE + 1, place.epochHi);
    context.set(LP, place.partition);
    context.set(LO, scope.offsetLo);
    context.set(LO + 1, scope.offsetHi);
    context.set(LI, index);
    context.set(TENANT, scope.tenant);
    context.set(CLUSTER, node.cluster);
    context.set(NODE, node.node);
    if (!node.exact && context.nodeName !== 0) {
      const { extra } = context.batch;
      extra.bytesField(11, context.strings.bytesOf(context.nodeName));
    }
  }

  #time(scope: RecordScope): void {
    const { context, time } = this;
    time.set(scope, context.timePresent, context.secondsLo, context.secondsHi, context.nanos);
    context.set(TIME_QUALITY, time.quality);
    context.set(BUCKET_TIME, time.bucketLo);
    context.set(BUCKET_TIME + 1, time.bucketHi);
    context.set(TIME_SHIFT, time.shiftLo);
    context.set(TIME_SHIFT + 1, time.shiftHi);
    if (time.quality !== TIME_INVALID) return;
    const { extra } = context.batch;
    const mark = extra.open(1);
    extra.tag(1, WIRE_VARINT);
    extra.varint64(context.secondsLo, context.secondsHi);
    extra.tag(2, WIRE_VARINT);
    extra.int32(context.nanos);
    extra.close(mark);
  }

  /** Deprecated fields stand in for their successors; where they say something else they are kept. */
  #deprecated(): void {
    const { context } = this;
    const { extra } = context.batch;
    if (!context.eventTypePresent) context.set(EVENT_TYPE, 0xffff_ffff);
    else if (context.get(EVENT_TYPE) === 0xffff_ffff) this.#oddEventType();
    const reason = context.get(DROP_REASON);
    if (context.oldDropReason !== 0 && context.oldDropReason !== reason) {
      if (reason === 0 && context.oldDropReason <= 0x7fff) context.set(DROP_REASON, context.oldDropReason);
      extra.uint32Field(3, context.oldDropReason);
    }
    if (!context.oldReply) return;
    if (context.get(IS_REPLY) === 2) return;
    if (context.get(IS_REPLY) === 0) context.set(IS_REPLY, 2);
    extra.uint32Field(16, 1);
  }

  /** A type of -1 reads as an absent event type. */
  #oddEventType(): void {
    const { extra } = this.context.batch;
    const mark = extra.open(19);
    extra.tag(1, WIRE_VARINT);
    extra.int32(-1);
    extra.close(mark);
  }

  #weight(): void {
    const { context } = this;
    if (!context.aggregatePresent) {
      context.set(WEIGHT, 1);
      return;
    }
    const sum =
      context.get(AGGREGATE_INGRESS) + context.get(AGGREGATE_EGRESS) + context.get(AGGREGATE_UNKNOWN);
    context.set(WEIGHT, sum === 0 ? 1 : sum >>> 0);
    context.set(WEIGHT + 1, Math.floor(sum / TWO_32));
    if (sum === 0) context.noteEmpty(21_007);
  }

  /** A flow that stands for those that a policy left out weighs as many. After the key: a copy that was not sampled is the same flow. */
  #sampled(rate: number): void {
    if (rate <= 1) return;
    const { context } = this;
    const weight = (context.get(WEIGHT) + context.get(WEIGHT + 1) * TWO_32) * rate;
    context.set(WEIGHT, weight % TWO_32);
    context.set(WEIGHT + 1, Math.floor(weight / TWO_32));
  }

  #lists(): void {
    const { context } = this;
    const { policies, extra } = context.batch;
    if (policies.pos > 0)
      context.set(POLICIES, context.strings.idOfBytes(viewOf(policies.buf), policies.buf, 0, policies.pos));
    const { nodeLabels } = context;
    this.nodeLabels = NO_LABELS;
    if (!nodeLabels.present) return;
    const run = context.endpoints.nodeLabels(
      nodeLabels.view,
      nodeLabels.buf,
      nodeLabels.start,
      nodeLabels.end,
    );
    if (run === undefined) {
      context.reader.fail(context.endpoints.reason);
      return;
    }
    this.nodeLabels = run.set;
    context.set(NODE_LABEL_SET, run.set.lo);
    context.set(NODE_LABEL_SET + 1, run.set.hi);
    if (run.cut) extra.copy(nodeLabels.buf, nodeLabels.start, nodeLabels.end);
  }

  #summary(): void {
    const { context } = this;
    const { summary } = context;
    if (!summary.present || summary.start === summary.end || this.#l7.summaryIsDerived()) return;
    context.checkedSummary();
  }

  #key(node: NodeScope, scope: RecordScope, index: number): void {
    const { context } = this;
    const { uuid, batch } = context;
    const at = batch.base + UUID;
    batch.touched[UUID] = 1;
    if (uuid.present && uuid.start < uuid.end) {
      const form = parseUuid(uuid.buf, uuid.start, uuid.end, batch.lanes, at);
      if (form !== UUID_CANONICAL) context.keepSpan(uuid, 34);
      if (form !== 0) {
        this.keyLo = (context.get(UUID) ^ context.get(UUID + 2)) >>> 0;
        this.keyHi = (context.get(UUID + 1) ^ context.get(UUID + 3)) >>> 0;
        return;
      }
    }
    this.#fallback.of(node, scope, index, this.time);
    this.keyLo = this.#fallback.lo;
    this.keyHi = this.#fallback.hi;
    context.set(FALLBACK_KEY, this.keyLo);
    context.set(FALLBACK_KEY + 1, this.keyHi);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

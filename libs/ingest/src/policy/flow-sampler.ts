import { FlowLook, JsonTranscoder, ResponseHead } from '@flowledger/model';
import type { Lane } from '../append/append-queue.js';
import { decide, type LeftOut, type SamplingPolicy } from './sampling-policy.js';

/** Counts flows that a policy left out. */
export interface LeftOutMetric {
  inc(labels: { reason: LeftOut }): void;
}

/** A policy and where its decisions are counted. */
export interface SamplingOptions {
  readonly policy: SamplingPolicy;
  readonly leftOut: LeftOutMetric;
}

/**
 * Applies a policy to what a source reads, before it is packed. Everything that is no flow is kept, and so is what
 * cannot be read: it becomes a dead letter, where somebody can see it.
 */
export class FlowSampler {
  readonly #look = new FlowLook();
  readonly #json = new JsonTranscoder();
  readonly #head = new ResponseHead();

  constructor(private readonly options: SamplingOptions) {}

  /** How many flows the `flow.Flow` in `bytes[start, end)` stands for; 0: leave it out. */
  flow(bytes: Uint8Array, start: number, end: number): number {
    this.#look.read(bytes, start, end);
    const decision = decide(this.options.policy, this.#look);
    if (typeof decision === 'number') return decision;
    this.options.leftOut.inc({ reason: decision });
    return 0;
  }

  /** The same of an export line. It is read as the loader reads it, so that JSON and protobuf decide alike. */
  line(line: Uint8Array): number {
    if (this.#json.transcode(line, 0, line.length) !== undefined) return 1;
    const { buf, pos } = this.#json.wire;
    const event = buf.subarray(0, pos);
    this.#head.read(event);
    const { kind, start, end } = this.#head;
    return kind === 'flow' ? this.flow(event, start, end) : 1;
  }
}

/** The lanes of one kind of envelope, one for each rate that a policy uses, made when they are needed. */
export class SampledLanes {
  readonly #lanes = new Map<number, Lane>();

  constructor(private readonly make: (samplingRate: number) => Lane) {}

  at(samplingRate: number): Lane {
    let lane = this.#lanes.get(samplingRate);
    if (lane === undefined) this.#lanes.set(samplingRate, (lane = this.make(samplingRate)));
    return lane;
  }
}

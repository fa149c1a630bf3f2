import type { NodeCount } from './hubble-messages.js';

/** What was received of a node, counted from the start of the source. */
export interface Received {
  /** Flows received for the first time. */
  readonly fresh: bigint;
  /** Losses that the node reported. */
  readonly lost: bigint;
}

interface Sample {
  readonly seenFlows: bigint;
  readonly uptimeNs: bigint;
  readonly fresh: bigint;
  readonly lost: bigint;
}

/** What one look at the server's counts says. */
export interface Verdict {
  /** Nodes that go on observing while their stream brings nothing. */
  readonly silent: readonly string[];
  /** Flows that the nodes saw, less those received and those reported as lost, since the session began. */
  readonly unexplained: bigint;
}

/**
 * Compares what the server says it has seen with what arrived, look by look, for one session. Relay can forget a node
 * whose agent ended its stream cleanly (reliability note 3.1): only counts tell. Pure.
 */
export class SilenceWatch {
  readonly #last = new Map<string, Sample>();
  #unexplained = 0n;

  /** `receivedOf` is undefined for a node that flows do not name, or name in another way. */
  look(counts: readonly NodeCount[], receivedOf: (name: string) => Received | undefined): Verdict {
    const silent: string[] = [];
    for (const { name, connected, seenFlows, uptimeNs } of counts) {
      const received = receivedOf(name);
      if (received === undefined) continue;
      const sample = { seenFlows, uptimeNs, ...received };
      const last = this.#last.get(name);
      this.#last.set(name, sample);
      // An agent that started again counts from zero: there is nothing to compare with before the next look.
      if (last === undefined || seenFlows < last.seenFlows || uptimeNs < last.uptimeNs) continue;
      const seen = seenFlows - last.seenFlows;
      const fresh = sample.fresh - last.fresh;
      this.#unexplained += seen - fresh - (sample.lost - last.lost);
      if (connected && seen > 0n && fresh === 0n && sample.lost === last.lost) silent.push(name);
    }
    return { silent, unexplained: this.#unexplained };
  }
}

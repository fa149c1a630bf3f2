import { objectAt, textAt, type JsonObject } from './json.js';
import { parsePolicies, type ParsedPolicies } from './parse/parse-policies.js';
import type { PolicySnapshot } from './policy-history.js';

/** The objects of a cluster at one time. */
export interface PolicyObjects {
  /** Since when it was so, ns since 1970. */
  readonly validFromNs: bigint;
  readonly objects: readonly JsonObject[];
}

interface State {
  readonly validFromNs: bigint;
  readonly snapshot: PolicySnapshot;
}

/** What an object asks for, as text: its other parts (versions, labels) change nothing about who may talk to whom. */
function markOf(object: JsonObject): string {
  const metadata = objectAt(object, 'metadata');
  const names = ['namespace', 'name', 'creationTimestamp'].map((name) => textAt(metadata, name));
  return JSON.stringify([object['kind'], ...names, object['spec'] ?? null, object['specs'] ?? null]);
}

/**
 * The states that the policies of one cluster went through, as somebody who watches it saw them. A state that asks for the same
 * as the one before is not kept; nor are more than `most`, of which the oldest go first. Objects that did not change are
 * parsed once for all states.
 */
export class PolicyStates {
  #states: readonly State[] = [];
  /** What the last state asks for. */
  #mark: string | undefined;
  #parsed: ReadonlyMap<string, ParsedPolicies> = new Map();

  constructor(
    private readonly origin: string,
    /** Cluster that the objects are about; '' = every cluster. */
    private readonly cluster: string,
    private readonly most: number,
  ) {}

  /** The states, in the order of time. */
  get snapshots(): readonly PolicySnapshot[] {
    return this.#states.map(({ snapshot }) => snapshot);
  }

  /** When the states began, ns, in order. */
  get times(): readonly bigint[] {
    return this.#states.map(({ validFromNs }) => validFromNs);
  }

  /** Adds a state that is newer than all others; false, and nothing is added, when it is the one before. */
  add({ validFromNs, objects }: PolicyObjects): boolean {
    const marks = new Map(objects.map((object) => [markOf(object), object] as const));
    const mark = [...marks.keys()].toSorted().join('\n');
    if (this.#mark === mark) return false;
    this.#mark = mark;
    const parsed = new Map(
      [...marks].map(([key, object]) => [key, this.#parsed.get(key) ?? parsePolicies([object])] as const),
    );
    const read = [...parsed.values()];
    const snapshot: PolicySnapshot = {
      origin: this.origin,
      validFromNs,
      cluster: this.cluster,
      policies: read.flatMap((one) => one.policies),
      problems: read.flatMap((one) => one.problems),
    };
    this.#parsed = parsed;
    const kept = this.#states.filter((state) => state.validFromNs < validFromNs);
    this.#states = [...kept, { validFromNs, snapshot }].slice(-this.most);
    return true;
  }

  /** Forgets states that were over before a time; the one that was in force then stays. */
  forgetBefore(timeNs: bigint): void {
    const next = this.#states.findIndex((state) => state.validFromNs > timeNs);
    const first = (next < 0 ? this.#states.length : next) - 1;
    if (first > 0) this.#states = this.#states.slice(first);
  }
}

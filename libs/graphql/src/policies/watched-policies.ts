import { watchResource, type KubeClient, type KubeObject, type ResourceState } from '@flowledger/kubernetes';
import { describeError, type Clock, type Log } from '@flowledger/platform';
import { PolicyStates, type JsonObject } from '@flowledger/policy';
import type { PolicySource, PolicyState, SourceProblem } from './policy-source.js';
import { StateFiles } from './state-files.js';

const ORIGIN = 'kubernetes';
/** States that are kept; months, where policies change a few times a day. */
const MOST_STATES = 500;
/** Changes within this time are one state, ms: `kubectl apply -f folder/` is one change to people. */
const SETTLE_MS = 1_000;
const NS_PER_MS = 1_000_000n;

/** The three kinds of policy objects, in all namespaces. */
const RESOURCES = [
  {
    path: '/apis/cilium.io/v2/ciliumnetworkpolicies',
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
  },
  {
    path: '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies',
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumClusterwideNetworkPolicy',
  },
  {
    path: '/apis/networking.k8s.io/v1/networkpolicies',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
  },
] as const;

/** What policies are watched with. */
export interface WatchedPoliciesOptions {
  readonly client: KubeClient;
  /** Cluster of flows that these policies are about; '' = every cluster. */
  readonly cluster: string;
  /** Folder of their states; belongs to this source alone. */
  readonly directory: string;
  /** How long flows are kept, ms: states that were over before that are forgotten. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Log;
}

/** Policies that follow a cluster. */
export interface WatchedPolicies extends PolicySource {
  /** Ends the watches; what they saw is on disk. Idempotent. */
  close(): Promise<void>;
}

/**
 * Policies from Kubernetes: each change of the objects is a state with the time it was seen, as a dump with a time in its name
 * would be, and is kept on disk for the next start. Nothing is recorded before all three resources were listed, since a half list
 * would look like deletions. What keeps it from being current is a problem in the answers.
 */
export async function openWatchedPolicies(options: WatchedPoliciesOptions): Promise<WatchedPolicies> {
  const stop = new AbortController();
  const record = new PolicyRecord(options, stop.signal);
  await record.open();
  const { client, clock, random, logger } = options;
  const watches = RESOURCES.map((resource, at) =>
    watchResource({
      ...resource,
      client,
      clock,
      random,
      logger,
      signal: stop.signal,
      changed: (state) => record.changed(at, state),
    }),
  );
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.all(watches);
    await record.settled();
  };
  return {
    state: () => Promise.resolve(record.state()),
    close: () => (closing ??= close()),
  };
}

class PolicyRecord {
  readonly #states: PolicyStates;
  readonly #files: StateFiles;
  readonly #resources: (ResourceState | undefined)[] = RESOURCES.map(() => undefined);
  #unread: readonly SourceProblem[] = [];
  #unwritten: readonly SourceProblem[] = [];
  /** When the first change was seen that is not recorded yet. */
  #since: number | undefined;
  #recording: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: WatchedPoliciesOptions,
    private readonly signal: AbortSignal,
  ) {
    this.#states = new PolicyStates(ORIGIN, options.cluster, MOST_STATES);
    this.#files = new StateFiles(options.directory);
  }

  async open(): Promise<void> {
    const { states, problems } = await this.#files.read();
    for (const state of states) this.#states.add(state);
    this.#unread = problems;
  }

  changed(at: number, state: ResourceState): void {
    this.#resources[at] = state;
    if (this.#since !== undefined || this.#resources.some((one) => one?.known !== true)) return;
    this.#since = this.options.clock.now();
    this.#recording = this.#recording.then(() => this.#settle());
  }

  /** Resolves when what was seen is recorded. */
  async settled(): Promise<void> {
    await this.#recording;
  }

  state(): PolicyState {
    const watched = this.#resources.map((one) => (one === undefined ? 'not listed yet' : one.problem));
    const problems = watched.flatMap((reason, at): readonly SourceProblem[] =>
      reason === undefined ? [] : [{ origin: `${ORIGIN} ${RESOURCES[at]?.kind ?? ''}`, reason }],
    );
    return {
      snapshots: this.#states.snapshots,
      problems: [...problems, ...this.#unread, ...this.#unwritten],
    };
  }

  async #settle(): Promise<void> {
    const { clock, logger, keepMs } = this.options;
    await clock.sleep(SETTLE_MS, this.signal).catch(() => undefined);
    const seenMs = this.#since ?? clock.now();
    this.#since = undefined;
    const objects = this.#resources.flatMap((one) => one?.objects ?? []).map(jsonOf);
    const state = { validFromNs: BigInt(seenMs) * NS_PER_MS, objects };
    if (!this.#states.add(state)) return;
    this.#states.forgetBefore(BigInt(seenMs - keepMs) * NS_PER_MS);
    try {
      await this.#files.write(state);
      await this.#files.removeBefore(this.#states.times[0] ?? 0n);
      this.#unwritten = [];
    } catch (error) {
      const reason = `not kept for the next start: ${describeError(error)}`;
      this.#unwritten = [{ origin: ORIGIN, reason }];
      logger.warn({ error: describeError(error) }, 'policies: a state cannot be written');
    }
  }
}

/** Objects come out of a JSON reader, so that they are plain values. */
function jsonOf(object: KubeObject): JsonObject {
  return object as JsonObject;
}

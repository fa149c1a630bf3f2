import type { PolicySnapshot } from '@flowledger/policy';

/** A file or document that could not be read, or not understood. */
export interface SourceProblem {
  readonly origin: string;
  readonly reason: string;
}

/** Policy objects that are known, each state with the time it was valid from. */
export interface PolicyState {
  readonly snapshots: readonly PolicySnapshot[];
  readonly problems: readonly SourceProblem[];
}

/** Where policy objects come from. */
export interface PolicySource {
  /** What is known now; never rejects for bad content, which is a problem in the answer. */
  state(): Promise<PolicyState>;
}

/** Nothing is configured. */
export const NO_POLICIES: PolicySource = {
  state: () => Promise.resolve({ snapshots: [], problems: [] }),
};

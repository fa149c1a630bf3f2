/** Moments at which a loader may die; a test kills or throws there. */
export type FailpointName =
  | 'after-intent'
  | 'before-insert'
  | 'after-insert'
  | 'before-ledger'
  | 'after-ledger'
  | 'before-commit'
  | 'during-verify'
  | 'during-repair';

/** Called at each of those moments; whatever it throws ends the lease. */
export type Failpoint = (name: FailpointName, table?: string) => void | Promise<void>;

/** Nothing happens. */
export const noFailpoint: Failpoint = () => undefined;

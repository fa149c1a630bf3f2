import type { EventLog, PartitionLease } from '@flowledger/event-log';
import { AppError, type Clock } from '@flowledger/platform';

/**
 * What a replay asks of the loaders of the same log. Kept as the committed metadata of partition 0 of the group
 * `replay`, so it is durable, has one writer, and is seen by every loader wherever it runs:
 *
 * - `pausing`: leave the loader group until then (ms since 1970); renewed while the replay lives
 * - `swapping`: load nothing until the tables of `database` have taken their places, whoever finishes that
 */
export type ReplayControl =
  | { readonly state: 'none' }
  | { readonly state: 'pausing'; readonly untilMs: number }
  | { readonly state: 'swapping'; readonly database: string };

const REPLAY_GROUP = 'replay';

/** Reads what is asked for now. */
export async function readControl(log: EventLog): Promise<ReplayControl> {
  const committed = await log.committed(REPLAY_GROUP, 0);
  if (committed === undefined || committed.metadata === '') return { state: 'none' };
  const parsed = JSON.parse(committed.metadata) as Readonly<Record<string, unknown>>;
  if (parsed['state'] === 'pausing') return { state: 'pausing', untilMs: Number(parsed['untilMs']) };
  if (parsed['state'] === 'swapping') return { state: 'swapping', database: String(parsed['database']) };
  return { state: 'none' };
}

/** True when loaders must not load at `nowMs`. */
export function mustPause(control: ReplayControl, nowMs: number): boolean {
  return control.state === 'swapping' || (control.state === 'pausing' && control.untilMs > nowMs);
}

/** Writes what is asked for; durable when resolved. Rejects LEASE_LOST when another replay has taken over. */
export async function writeControl(lease: PartitionLease, control: ReplayControl): Promise<void> {
  const metadata = control.state === 'none' ? '' : JSON.stringify(control);
  await lease.commit({ offset: lease.committed?.offset ?? 0n, metadata });
}

/** Does work as the only replay of a log. Rejects CONFLICT when another one does not end within `waitMs`. */
export function asOnlyReplay<T>(
  log: EventLog,
  wait: { readonly clock: Clock; readonly waitMs: number },
  signal: AbortSignal,
  work: (lease: PartitionLease) => Promise<T>,
): Promise<T> {
  return withLeases(log, REPLAY_GROUP, wait, signal, (leases) => {
    const first = leases.get(0);
    if (first === undefined) throw new AppError('INTERNAL', 'partition 0 was not leased', { retry: false });
    return work(first);
  });
}

/**
 * Does work while this process owns every partition of a group, then leaves the group. Rejects CONFLICT when others do
 * not let go within `waitMs`, LEASE_LOST when the group was lost meanwhile.
 */
export async function withLeases<T>(
  log: EventLog,
  group: string,
  { clock, waitMs }: { readonly clock: Clock; readonly waitMs: number },
  signal: AbortSignal,
  work: (leases: ReadonlyMap<number, PartitionLease>) => Promise<T>,
): Promise<T> {
  const leave = new AbortController();
  const either = AbortSignal.any([signal, leave.signal]);
  const leases = new Map<number, PartitionLease>();
  let result: { readonly value: T } | undefined;
  const timeout = clock
    .sleep(waitMs, either)
    .then(() => (leases.size === log.partitions ? undefined : leave.abort()))
    .catch(() => undefined);
  const serve = async (lease: PartitionLease): Promise<void> => {
    leases.set(lease.partition, lease);
    if (leases.size < log.partitions) return;
    try {
      result = { value: await work(leases) };
    } finally {
      leave.abort();
    }
  };
  await log.consume(group, serve, either);
  await timeout;
  if (result !== undefined) return result.value;
  signal.throwIfAborted();
  throw new AppError('CONFLICT', `group ${group} is in other hands`, { retry: true });
}

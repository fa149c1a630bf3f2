import { uptime } from 'node:os';
import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog, PartitionLease } from '@flowledger/event-log';
import { describeError, isAppError, systemClock, type Clock, type Log } from '@flowledger/platform';
import { noFailpoint, type Failpoint } from './load/failpoint.js';
import type { BatchLimits, LoaderContext, LoaderEvents } from './load/loader-context.js';
import { Room } from './load/room.js';
import { newPartitionStatus, type PartitionStatus } from './load/loader-status.js';
import { loadPartition } from './load/partition-loader.js';
import { mustPause, readControl } from './replay/control.js';
import { finishSwap } from './replay/finish-swap.js';

export interface LoaderOptions {
  readonly log: EventLog;
  /** A user that may write, create and read `system.processes`. */
  readonly store: ColumnStore;
  /** Consumer group of the log; all loaders of one store are in the same one. */
  readonly group: string;
  readonly logger: Log;
  /** Days that `flows` keeps its rows; the same as the migrations were rendered with. */
  readonly rawTtlDays: number;
  /** When the machine of the store started, ms since 1970. Default: when this machine did. */
  readonly bootedMs?: number;
  /** Default 100,000 rows, 64 MiB of rows, 1 s. */
  readonly limits?: Partial<BatchLimits>;
  readonly clock?: Clock;
  readonly events?: Partial<LoaderEvents>;
  readonly failpoint?: Failpoint;
}

/** A running loader. */
export interface Loader {
  /** Resolves when the signal aborted and every lease has ended; rejects with the first defect. */
  readonly done: Promise<void>;
  /** One entry for each partition that is or was leased here. */
  readonly partitions: readonly PartitionStatus[];
  /** When it began, by the clock that never jumps. */
  readonly beganMs: number;
  /** True while a replay keeps it out of the group. */
  readonly paused: boolean;
}

const DAY_MS = 86_400_000;
const CONTROL_POLL_MS = 500;
const DEFAULT_LIMITS: BatchLimits = { maxRows: 100_000, maxBytes: 64 * 1024 * 1024, maxAgeMs: 1_000 };

/** Options with every default filled in. */
export function loaderContext(options: Omit<LoaderOptions, 'group'>): LoaderContext {
  return {
    log: options.log,
    store: options.store,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    making: new Room(1),
    writing: new Room(1),
    rawTtlMs: options.rawTtlDays * DAY_MS,
    bootedMs: options.bootedMs ?? Date.now() - uptime() * 1000,
    clock: options.clock ?? systemClock,
    logger: options.logger,
    events: { loaded: () => undefined, repaired: () => undefined, ...options.events },
    failpoint: options.failpoint ?? noFailpoint,
  };
}

/**
 * Loads the log into the store until `signal` aborts: joins the group and loads every partition it is given, side by
 * side, one batch in flight each. Any number of loaders may run; a partition has one owner at a time. While a replay
 * asks for it, the loader stays out of the group; a swap that was cut short is finished first.
 */
export function runLoader(options: LoaderOptions, signal: AbortSignal): Loader {
  const context = loaderContext(options);
  const state = { partitions: [] as PartitionStatus[], paused: false };
  const done = serve(context, options.group, state, signal);
  return {
    done,
    partitions: state.partitions,
    beganMs: context.clock.monotonic(),
    get paused() {
      return state.paused;
    },
  };
}

interface LoaderState {
  readonly partitions: PartitionStatus[];
  paused: boolean;
}

async function serve(
  context: LoaderContext,
  group: string,
  state: LoaderState,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock, store: live } = context;
  while (!signal.aborted) {
    const control = await readControl(log);
    state.paused = mustPause(control, clock.now());
    if (!state.paused) await oneTurn(context, group, state, signal);
    else {
      // CONFLICT means that the replay that began the swap still lives: it will finish it.
      if (control.state === 'swapping')
        await finishSwap({ log, live, clock }, signal).catch((error: unknown) => report(context, error));
      await clock.sleep(CONTROL_POLL_MS, signal).catch(() => undefined);
    }
  }
}

/** Takes part in the group until told to stop or to pause. */
async function oneTurn(
  context: LoaderContext,
  group: string,
  { partitions }: LoaderState,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock } = context;
  const turn = new AbortController();
  const either = AbortSignal.any([signal, turn.signal]);
  const onLease = async (lease: PartitionLease): Promise<void> => {
    // A replay that died while it swapped leaves the group to us before we saw what it had begun.
    if (mustPause(await readControl(log), clock.now())) return turn.abort();
    const status = newPartitionStatus(lease.partition);
    const former = partitions.findIndex((entry) => entry.partition === lease.partition);
    if (former < 0) partitions.push(status);
    else partitions[former] = status;
    return loadPartition(lease, context, status);
  };
  const watch = async (): Promise<void> => {
    while (!either.aborted) {
      await clock.sleep(CONTROL_POLL_MS, either).catch(() => undefined);
      if (!either.aborted && mustPause(await readControl(log), clock.now())) turn.abort();
    }
  };
  const watching = watch();
  watching.catch(() => turn.abort());
  try {
    await log.consume(group, onLease, either);
  } finally {
    turn.abort();
    await watching;
  }
}

function report({ logger }: LoaderContext, error: unknown): void {
  if (isAppError(error, 'CONFLICT') || isAppError(error, 'CANCELLED')) return;
  logger.error({ error: describeError(error) }, 'the swap of a replay cannot be finished yet');
}

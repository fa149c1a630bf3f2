import type { ColumnStore } from '@flowledger/column-store';
import type { EventLog } from '@flowledger/event-log';
import type { Clock } from '@flowledger/platform';
import { planOf } from '../sql.js';
import { asOnlyReplay, readControl, writeControl } from './control.js';
import { performSwap } from './swap.js';

const WAIT_MS = 2_000;

/**
 * Finishes a swap whose replay died on the way; does nothing when there is none. Rejects CONFLICT while its replay still
 * lives, and the store's faults; may be called again.
 */
export function finishSwap(
  { log, live, clock }: { readonly log: EventLog; readonly live: ColumnStore; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  return asOnlyReplay(log, { clock, waitMs: WAIT_MS }, signal, async (lease) => {
    const control = await readControl(log);
    if (control.state !== 'swapping') return;
    await performSwap(live, control.database, signal);
    await writeControl(lease, { state: 'none' });
    await live.command(planOf('drop_database', { database: control.database }), signal);
  });
}

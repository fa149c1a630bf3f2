import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { openLogReader, type EventLog } from '@flowledger/event-log';
import { configOrExit, EXIT, stopSignal, systemClock, type Config } from '@flowledger/platform';
import { audit, type AuditReport } from '@flowledger/sink';
import { diagnose } from '../doctor/checks.js';
import { collectFacts } from '../doctor/collect-facts.js';
import type { Finding } from '../doctor/facts.js';
import { takeSwitch } from '../flags.js';
import { openWriter, withRunningStore } from '../group/running-store.js';

/**
 * `flowledger doctor [--audit] [--json]`: looks at settings of this program, the machine, the log and the store, and
 * names the promise that an unsafe one breaks. `--audit` also holds log, books, rows and rollups against each other.
 * Exit 0 when nothing is unsafe and the audit is clean, 1 otherwise.
 */
export async function doctor(argv: readonly string[]): Promise<number> {
  const { on: json, rest: a } = takeSwitch(argv, '--json');
  const { on: withAudit, rest: settings } = takeSwitch(a, '--audit');
  const given = configOrExit(settings);
  const signal = stopSignal();
  const config = await withRunningStore(given).catch(() => given);
  const store = config.store.url === '' ? undefined : openWriter(config);
  const log = await openExistingLog(config);
  try {
    const findings = diagnose(await collectFacts(config, store, log, signal));
    const report =
      withAudit && store !== undefined && log !== undefined
        ? await audit({ log, store, rawTtlDays: config.retention.rawDays, nowMs: systemClock.now() }, signal)
        : undefined;
    process.stdout.write(
      json ? `${JSON.stringify({ findings, audit: report ?? null })}\n` : describe(findings, report),
    );
    return findings.some(({ level }) => level === 'unsafe') || report?.ok === false ? EXIT.failed : EXIT.ok;
  } finally {
    await log?.close();
    await store?.close();
  }
}

/** The log, if there is one: a reader of files would wait for them to be made. */
async function openExistingLog(config: Config): Promise<EventLog | undefined> {
  if (config.log.kind !== 'embedded') return openLogReader(config).catch(() => undefined);
  const made = await access(join(config.data.dir, 'log')).then(
    () => true,
    () => false,
  );
  return made ? openLogReader(config).catch(() => undefined) : undefined;
}

function describe(findings: readonly Finding[], report: AuditReport | undefined): string {
  const lines = findings.map(({ check, level, promise, text, remedy }) => {
    const line = `${level.padEnd(7)} ${check.padEnd(20)} ${promise.padEnd(10)} ${text}`;
    return remedy === undefined ? line : `${line}\n${' '.repeat(39)}→ ${remedy}`;
  });
  for (const partition of report?.partitions ?? []) {
    const { unaccounted, pending, ledgerBreaks, rowFaults, rollupFaults } = partition;
    const rows = rowFaults.map((fault) => `${fault.table} ${fault.rows} rows for ${fault.booked} booked`);
    const rollups = Object.entries(rollupFaults).map(([table, n]) => `${table} ${n} rows differ`);
    const faults = [
      ...rows,
      ...rollups,
      ...(ledgerBreaks > 0 ? [`${ledgerBreaks} breaks in the ledger`] : []),
    ];
    lines.push(
      `audit   partition ${partition.partition}: ${partition.eventsInLog} events, ${pending} pending, ${unaccounted} unaccounted${faults.length > 0 ? `; ${faults.join(', ')}` : ''}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

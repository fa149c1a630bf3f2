import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { openLogReader, type EventLog } from '@flowledger/event-log';
import {
  configOrExit,
  EXIT,
  stopSignal,
  silentLog,
  systemClock,
  type Config,
  type Log,
} from '@flowledger/platform';
import { audit, type AuditReport } from '@flowledger/sink';
import { diagnose } from '../doctor/checks.js';
import { collectFacts } from '../doctor/collect-facts.js';
import type { Finding, TopicSetting } from '../doctor/facts.js';
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
  const opened = await openExistingLog(config);
  const log = opened?.log;
  try {
    const findings = diagnose(await collectFacts(config, store, opened, signal));
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

interface OpenedLog {
  readonly log: EventLog;
  readonly topic: readonly TopicSetting[];
}

/** The log, if there is one: a reader of files would wait for them to be made. */
async function openExistingLog(config: Config): Promise<OpenedLog | undefined> {
  if (config.log.kind === 'kafka') return openTopic(config).catch(() => undefined);
  const made = await access(join(config.data.dir, 'log')).then(
    () => true,
    () => false,
  );
  const log = made ? await openLogReader(config).catch(() => undefined) : undefined;
  return log === undefined ? undefined : { log, topic: [] };
}

/** Opens a topic however unsafe it is, and takes down what the adapter says of its settings. */
async function openTopic(config: Config): Promise<OpenedLog> {
  const topic: TopicSetting[] = [];
  const warn: Log['warn'] = ({ setting, found, wanted, breaks }) => {
    if (setting === undefined) return;
    const text = [setting, found, wanted, breaks].map(String);
    topic.push({
      setting: text[0] ?? '',
      found: text[1] ?? '',
      wanted: text[2] ?? '',
      breaks: text[3] ?? '',
    });
  };
  const tolerant = { ...config, log: { ...config.log, strict: false } };
  return { log: await openLogReader(tolerant, { ...silentLog, warn }), topic };
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

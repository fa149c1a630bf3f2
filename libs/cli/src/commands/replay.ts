import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LOADER_GROUP, openLogReader, withArchive, type EventLog } from '@flowledger/event-log';
import { configOrExit, EXIT, openLog, stopSignal, type Config } from '@flowledger/platform';
import { replay as runReplay, type OffsetRange, type ReplayReport } from '@flowledger/sink';
import { takeFlag, takeSwitch } from '../flags.js';
import { openWriter, withRunningStore } from '../group/running-store.js';
import { migrateStore } from './migrate.js';

/**
 * `flowledger replay [--swap] [--archive FOLDER]`: loads what the log, and its archive (`log.archive`, or a backup), holds into tables beside the live ones and compares them hour by hour;
 * ends with one JSON line. Works while the group runs. With `--swap` the replayed rows then take the place of the live
 * ones. Exit 0 when everything compared is equal or was swapped, 1 otherwise.
 */
export async function replay(argv: readonly string[]): Promise<number> {
  const { on: swap, rest } = takeSwitch(argv, '--swap');
  const { value: archive, rest: settings } = takeFlag(rest, '--archive');
  const config = await withRunningStore(configOrExit(settings));
  const logger = openLog('replay', config.diagnostics.level);
  const log = await openFullLog(config, archive ?? config.log.archive);
  const live = openWriter(config);
  try {
    const options = {
      log,
      live,
      group: LOADER_GROUP,
      swap,
      database: `${config.store.database}_replay`,
      openReplay: async (database: string) => {
        const beside = { ...config, store: { ...config.store, database } };
        await migrateStore(beside, true);
        return openWriter(beside);
      },
      rawTtlDays: config.retention.rawDays,
      logger,
    };
    const report = await runReplay(options, stopSignal());
    process.stderr.write(describe(report));
    process.stdout.write(`${JSON.stringify(plain(report))}\n`);
    return report.swapped || report.differences.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await live.close();
    await log.close();
  }
}

/** The log with its archive in front of it; a backup serves as one. */
async function openFullLog(config: Config, archive: string): Promise<EventLog> {
  const log = await openLogReader(config);
  if (archive === '') return log;
  try {
    const inBackup = join(archive, 'log');
    const isBackup = await access(join(archive, 'backup.json')).then(
      () => true,
      () => false,
    );
    return await withArchive(log, isBackup ? inBackup : archive);
  } catch (error) {
    await log.close();
    throw error;
  }
}

function describe({ refused, differences, rows, comparedHours, swapped }: ReplayReport): string {
  const lines = [`${rows} rows loaded again, ${comparedHours} hours of tables compared`];
  for (const { partition, end } of refused)
    lines.push(`refused: neither log nor archive holds offsets 0 to ${end - 1n} of partition ${partition}`);
  for (const { table, partition, hour, liveRows, replayedRows } of differences.slice(0, 50))
    lines.push(
      `differs: ${table}, partition ${partition}, ${hour}: ${liveRows} rows, replayed ${replayedRows}`,
    );
  if (swapped) lines.push('the replayed tables are live now');
  return `${lines.join('\n')}\n`;
}

function plain(report: ReplayReport): object {
  const range = ({ partition, from, end }: OffsetRange) => ({ partition, from: `${from}`, end: `${end}` });
  return { ...report, replayed: report.replayed.map(range), refused: report.refused.map(range) };
}

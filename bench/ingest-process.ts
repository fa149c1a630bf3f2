import { join } from 'node:path';
import { openEmbeddedLog } from '@flowledger/event-log';
import { openRelayMetrics, RelaySource } from '@flowledger/ingest';
import { collectLessOften, openMetrics, silentLog, systemClock } from '@flowledger/platform';

/** What the bench tells this process: where to read, where to append, and when it has everything. */
export interface IngestOrder {
  readonly target: string;
  readonly directory: string;
  readonly flows: number;
}

/** What it reports once so many flows are durable. */
export interface IngestReport {
  readonly seconds: number;
  /** Processor time of this process from the first append to the last, and memory at the end. */
  readonly cpuSeconds: number;
  readonly residentMiB: number;
}

// The ingestor's part of the product alone: relay source and embedded log, in a process of its own.
collectLessOften();
process.on('message', (order: IngestOrder | 'start') => {
  if (order !== 'start') void prepare(order);
});
process.once('disconnect', () => process.exit(0));

async function prepare(order: IngestOrder): Promise<void> {
  const log = await openEmbeddedLog({ directory: join(order.directory, 'log'), mode: 'writer' });
  const source = new RelaySource({
    tenant: 'default',
    cluster: 'bench',
    partitions: log.partitions,
    clock: systemClock,
    log: silentLog,
    metrics: openRelayMetrics(openMetrics()),
    stateFile: join(order.directory, 'relay.json'),
    address: { target: order.target },
    append: async (records) => {
      await log.append(records);
      for (const record of records) durable += record.events;
      if (durable < order.flows || reported) return;
      reported = true;
      const { user, system } = process.cpuUsage(cpu);
      const report: IngestReport = {
        seconds: (performance.now() - began) / 1000,
        cpuSeconds: (user + system) / 1e6,
        residentMiB: process.memoryUsage().rss / 2 ** 20,
      };
      process.send?.(report);
    },
  });
  let [durable, reported, began, cpu] = [0, false, 0, process.cpuUsage()];
  process.on('message', (word: unknown) => {
    if (word !== 'start') return;
    began = performance.now();
    cpu = process.cpuUsage();
    void source.run(new AbortController().signal);
  });
  process.send?.('ready');
}

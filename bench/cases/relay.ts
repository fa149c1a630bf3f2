import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '@flowledger/event-log';
import { answer, startChild } from '../child.js';
import type { IngestOrder, IngestReport } from '../ingest-process.js';
import { loadLog, startStore } from '../log-store.js';
import { costDetail, costOf } from '../machine.js';
import type { RelayOrder } from '../relay-process.js';
import { round, type BenchCase, type BenchSize, type Result } from '../result.js';

const RATE_TARGET = 30_000;
const COST_TARGET_US = 20;
/** Later than the stream is opened: live flows, not a ring that may repeat what the store has. */
const AHEAD_MS = 60_000;

interface Measured {
  readonly report: IngestReport;
  readonly seconds: number;
  readonly detail: Readonly<Record<string, number>>;
}

/** Relay, ingestor, and loader with its store: each a process of its own, all on the same cores. The relay's frames are made before. */
async function measure(flows: number): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-relay-'));
  const [relay, ingestor] = [startChild('relay-process'), startChild('ingest-process')];
  const server = await startStore();
  try {
    relay.send({ flows, fromMs: Date.now() + AHEAD_MS } satisfies RelayOrder);
    const { target } = (await answer(relay)) as { readonly target: string };
    ingestor.send({ target, directory, flows } satisfies IngestOrder);
    await answer(ingestor);
    const log = await openEmbeddedLog({ directory: join(directory, 'log'), mode: 'reader' });
    try {
      let report: IngestReport | undefined;
      const pids = [relay.pid ?? 0, ingestor.pid ?? 0, server.server.pid];
      const cost = await costOf(pids, async () => {
        const reported = answer(ingestor).then((said) => {
          report = said as IngestReport;
        });
        ingestor.send('start');
        await Promise.all([reported, loadLog(log, server.store(), 'stored', () => report !== undefined)]);
      });
      if (report === undefined) throw new Error('the ingestor reported nothing');
      return { report, seconds: cost.seconds, detail: costDetail(cost) };
    } finally {
      await log.close();
    }
  } finally {
    relay.kill();
    ingestor.kill();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run({ quick, say }: BenchSize): Promise<readonly Result[]> {
  const flows = quick ? 150_000 : 400_000;
  say(`relay: ${flows} flows over gRPC into the store`);
  const { report, seconds, detail } = await measure(flows);
  const microseconds = (report.cpuSeconds / flows) * 1e6;
  const own = {
    flows,
    ingestSeconds: round(report.seconds),
    ingestorCpuSeconds: round(report.cpuSeconds),
    ingestorMiB: Math.round(report.residentMiB),
    ...detail,
  };
  return [
    {
      name: 'relay.rate',
      value: round(flows / seconds),
      unit: 'flows/s',
      baseline: null,
      ratio: null,
      target: `>= ${RATE_TARGET.toLocaleString('en-US')}`,
      ok: flows / seconds >= RATE_TARGET,
      detail: own,
    },
    {
      name: 'relay.ingestor_cpu',
      value: round(microseconds),
      unit: 'us/flow',
      baseline: null,
      ratio: null,
      target: `<= ${COST_TARGET_US}, grpc-js alone 14 to 16`,
      ok: microseconds <= COST_TARGET_US,
      detail: { flows, ingestorCpuSeconds: round(report.cpuSeconds) },
    },
  ];
}

/** Row 4: from a relay over gRPC into the tables, and what the ingestor's part of it costs. */
export const relayCase: BenchCase = { name: 'relay', figures: ['relay.rate', 'relay.ingestor_cpu'], run };

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answer, startChild } from '../child.js';
import { startFlowledger } from '../flowledger-process.js';
import { eventsIn } from '../log-store.js';
import { costOf, residentMiB } from '../machine.js';
import type { RelayOrder } from '../relay-process.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

/** A third of row 4's, which one core, shared with the relay and with what makes the flows, can keep up with. */
const RATE = 10_000;
const TARGET_MIB = 1536;
/** What memory may still grow by between the middle and the last third of the time, to count as flat. */
const FLAT = 1.1;
const MINUTE_MS = 60_000;
const SAMPLE_MS = 500;
/** Runs shorter than this say nothing about growth: caches and books fill at first. */
const LEAST_FLAT_MINUTES = 3;

/** Resident memory of all processes of the product, MiB, sampled while it takes flows in for so long. */
async function sampleWhileBusy(
  minutes: number,
): Promise<{ readonly samples: readonly number[]; readonly cores: number; readonly taken: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-memory-'));
  const relay = startChild('relay-process');
  try {
    const flows = Math.round(RATE * 60 * minutes);
    relay.send({ flows, fromMs: 0, perSecond: RATE } satisfies RelayOrder);
    const { target } = (await answer(relay)) as { readonly target: string };
    const running = await startFlowledger(directory, ['--hubble-relay', target]);
    try {
      const pids = await running.pids();
      const samples: number[] = [];
      const cost = await costOf(pids, async () => {
        for (const end = performance.now() + minutes * MINUTE_MS; performance.now() < end;) {
          samples.push(residentMiB(pids));
          await pause(SAMPLE_MS);
        }
      });
      await running.stop();
      return {
        samples,
        cores: cost.cpuSeconds / cost.seconds,
        taken: await eventsIn(join(directory, 'log')),
      };
    } finally {
      await running.stop();
    }
  } finally {
    relay.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run({ quick, minutes = quick ? 2 : 10, say }: BenchSize): Promise<readonly Result[]> {
  say(`memory: everything started, ${RATE} flows/s from a relay for ${minutes} minutes`);
  const { samples, cores, taken } = await sampleWhileBusy(minutes);
  const third = (at: number): number =>
    percentile(samples.slice(...[at, at + 1].map((edge) => Math.floor((samples.length * edge) / 3))), 0.5);
  const peak = Math.max(...samples);
  const growth = third(2) / third(1);
  const detail = {
    minutes,
    flowsPerSecond: round(taken / (minutes * 60)),
    busyCores: round(cores),
    samples: samples.length,
  };
  const common = { baseline: null, ratio: null };
  return [
    {
      ...common,
      name: 'memory.peak',
      value: Math.round(peak),
      unit: 'MiB',
      target: `<= ${TARGET_MIB}`,
      ok: peak <= TARGET_MIB,
      detail: { ...detail, firstThird: third(0), middleThird: third(1), lastThird: third(2) },
    },
    {
      ...common,
      name: 'memory.growth',
      value: round(growth),
      unit: 'x',
      target: `<= ${FLAT}, last third of half an hour against the middle one`,
      ok: minutes >= LEAST_FLAT_MINUTES && growth <= FLAT,
      detail,
    },
  ];
}

/** Row 7: resident memory of everything that `flowledger start` starts, while a relay sends. */
export const memoryCase: BenchCase = {
  name: 'memory',
  figures: ['memory.peak', 'memory.growth'],
  onlyWhenNamed: true,
  run,
};

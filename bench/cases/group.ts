import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answer, startChild } from '../child.js';
import { writeExportFile } from '../flows/export-lines.js';
import { importFile, startFlowledger, type Running } from '../flowledger-process.js';
import { makeFlows, REALISTIC } from '../flows/made-flows.js';
import { eventsIn } from '../log-store.js';
import { costDetail, costOf, type Cost } from '../machine.js';
import { askAtOnce, askOnTime, CONNECTIONS, type Asked } from '../red-askers.js';
import type { RelayOrder } from '../relay-process.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const FIRST_START_S = 20;
const SECOND_START_S = 5;
const LINES_TARGET = 40_000;
const P99_TARGET_MS = 300;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Half of what row 4 asks for. */
const HALF_RATE = 15_000;
/** Seconds of asking before it counts, and of flows beyond the end. */
const SETTLE_S = 5;
const SPARE_S = 10;

function figure(
  name: string,
  value: number,
  unit: string,
  target: string,
  ok: boolean,
  detail: Result['detail'],
): Result {
  return { name, value: round(value), unit, baseline: null, ratio: null, target, ok, detail };
}

function startFigure(name: string, { readyMs }: Running, seconds: number): Result {
  const detail = { measured: 'from the command to its ready line, installed and built, empty of demo' };
  return figure(name, readyMs / 1000, 's', `<= ${seconds} s`, readyMs <= seconds * 1000, detail);
}

interface ImportShape {
  readonly name: string;
  readonly flows: number;
  readonly fromMs: number;
  readonly spanMs: number;
  readonly target?: number;
  readonly seed?: number;
}

async function importOf(
  shape: ImportShape,
  running: Running,
  directory: string,
  size: BenchSize,
): Promise<Result> {
  const { name, flows, fromMs, spanMs, target, seed } = shape;
  const path = join(directory, 'export.jsonl');
  size.say(`group: writing an export file of ${flows} lines over ${round(spanMs / HOUR_MS)} h`);
  await writeExportFile(
    path,
    makeFlows({ ...REALISTIC, flows, fromMs, spanMs, ...(seed === undefined ? {} : { seed }) }),
  );
  size.say('group: importing it');
  const pids = await running.pids();
  const { result, ...cost } = await costOf(pids, () => importFile(path, running.url));
  if (result.accepted !== flows) throw new Error(`${result.accepted} of ${flows} lines were accepted`);
  const value = flows / cost.seconds;
  const detail = {
    lines: flows,
    spanHours: round(spanMs / HOUR_MS),
    bytesPerLine: round(statSync(path).size / flows),
    linesPerSecondByTheCommand: result.linesPerSecond,
    linesPerCpuSecond: round(flows / cost.cpuSeconds),
    ...costDetail(cost),
  };
  const wanted = target === undefined ? '-' : `>= ${target.toLocaleString('en-US')}`;
  return figure(name, value, 'lines/s', wanted, value >= (target ?? 0), detail);
}

/** A day, in which the edges of a minute are nearly as many as the lines, and an hour, as the other rows have it. */
async function imports(running: Running, directory: string, size: BenchSize): Promise<readonly Result[]> {
  const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const day = { fromMs: nowMs - DAY_MS, spanMs: DAY_MS - 10 * MINUTE_MS };
  const hour = { fromMs: nowMs - 2 * DAY_MS, spanMs: HOUR_MS };
  const flows = size.quick ? 200_000 : 1_000_000;
  return [
    await importOf({ name: 'import.rate', flows, ...day, target: LINES_TARGET }, running, directory, size),
    await importOf(
      { name: 'import.rate_hour', flows: size.quick ? 100_000 : 200_000, ...hour, seed: 43 },
      running,
      directory,
      size,
    ),
  ];
}

function askedDetail({ millis, failures }: Asked, cost: Omit<Cost<unknown>, 'result'>): Result['detail'] {
  return {
    connections: CONNECTIONS,
    requests: millis.length,
    failed: failures.length,
    ...(failures[0] === undefined ? {} : { firstFailure: failures[0] }),
    p50: round(percentile(millis, 0.5)),
    p95: round(percentile(millis, 0.95)),
    requestsPerCpuSecond: round(millis.length / cost.cpuSeconds),
    loadGenerator: 'on the same cores',
    ...costDetail(cost),
  };
}

/** As many requests as 32 connections can make. */
async function saturated(running: Running, size: BenchSize): Promise<readonly Result[]> {
  const seconds = size.quick ? 6 : 30;
  size.say(`group: RED over GraphQL from ${CONNECTIONS} connections for ${seconds} s`);
  await askAtOnce(running.url, 2);
  const { result, ...cost } = await costOf(await running.pids(), () => askAtOnce(running.url, seconds));
  const p99 = percentile(result.millis, 0.99);
  const detail = askedDetail(result, cost);
  const sound = result.failures.length === 0;
  const ok = p99 <= P99_TARGET_MS && sound;
  return [
    figure('graphql.p99', p99, 'ms', `<= ${P99_TARGET_MS} ms`, ok, detail),
    figure('graphql.rate', result.millis.length / cost.seconds, 'requests/s', '-', sound, detail),
  ];
}

/** Half of the requests that there can be, on time, while half of row 4's flows come in from a relay. */
async function whileIngesting(directory: string, rate: number, size: BenchSize): Promise<Result> {
  const seconds = size.quick ? 10 : 60;
  const perSecond = Math.max(1, Math.round(rate / 2));
  size.say(
    `group: ${perSecond} of them a second while ${HALF_RATE} flows/s come from a relay, for ${seconds} s`,
  );
  const relay = startChild('relay-process');
  try {
    const flows = HALF_RATE * (seconds + SETTLE_S + SPARE_S);
    relay.send({ flows, fromMs: 0, perSecond: HALF_RATE } satisfies RelayOrder);
    const { target } = (await answer(relay)) as { readonly target: string };
    const running = await startFlowledger(directory, ['--hubble-relay', target]);
    try {
      await askOnTime(running.url, perSecond, SETTLE_S);
      const log = join(directory, 'log');
      const before = await eventsIn(log);
      const { result, ...cost } = await costOf(await running.pids(), () =>
        askOnTime(running.url, perSecond, seconds),
      );
      const taken = (await eventsIn(log)) - before;
      const p99 = percentile(result.millis, 0.99);
      const ok = p99 <= P99_TARGET_MS && result.failures.length === 0;
      return figure('graphql.p99_ingesting', p99, 'ms', `<= ${P99_TARGET_MS} ms`, ok, {
        askedPerSecond: perSecond,
        flowsPerSecond: round(taken / cost.seconds),
        ...askedDetail(result, cost),
      });
    } finally {
      await running.stop();
    }
  } finally {
    relay.kill();
  }
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-group-'));
  try {
    const data = join(directory, 'data');
    size.say('group: first start');
    const first = await startFlowledger(data);
    await first.stop();
    size.say('group: second start');
    const second = await startFlowledger(data);
    try {
      const started = [
        startFigure('start.first', first, FIRST_START_S),
        startFigure('start.second', second, SECOND_START_S),
      ];
      const imported = await imports(second, directory, size);
      const asked = await saturated(second, size);
      await second.stop();
      const rate = asked.find(({ name }) => name === 'graphql.rate')?.value ?? 0;
      return [...started, ...imported, ...asked, await whileIngesting(data, rate, size)];
    } finally {
      await second.stop();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Rows 5, 11 and 13: the whole of it as a user runs it. */
export const groupCase: BenchCase = {
  name: 'group',
  figures: [
    'start.first',
    'start.second',
    'import.rate',
    'import.rate_hour',
    'graphql.p99',
    'graphql.rate',
    'graphql.p99_ingesting',
  ],
  run,
};

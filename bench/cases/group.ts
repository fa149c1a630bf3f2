import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeExportFile } from '../flows/export-lines.js';
import { importFile, startFlowledger, type Running } from '../flowledger-process.js';
import { makeFlows, REALISTIC } from '../flows/made-flows.js';
import { costDetail, costOf } from '../machine.js';
import { percentile, round, type BenchCase, type BenchSize, type Result } from '../result.js';

const FIRST_START_S = 20;
const SECOND_START_S = 5;
const LINES_TARGET = 40_000;
const CONNECTIONS = 32;
const P99_TARGET_MS = 300;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const HOUR_LINES = 200_000;

const RED = `query ($from: Time!, $to: Time!) {
  redMetrics(window: { from: $from, to: $to }, groupBy: [{ dimension: WORKLOAD, side: SERVER }], limit: 20) {
    total { requests errors errorRatio quantilesMs }
    groups { key { value } stats { requests errors quantilesMs(q: [0.5, 0.95]) } }
  }
}`;

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
      { name: 'import.rate_hour', flows: HOUR_LINES, ...hour, seed: 43 },
      running,
      directory,
      size,
    ),
  ];
}

/** One POST on a kept connection; rejects when the answer has errors. */
function post(agent: Agent, url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(`${url}/graphql`, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { data, errors } = JSON.parse(text) as {
          data?: { redMetrics?: object } | null;
          errors?: object;
        };
        if (errors === undefined && data?.redMetrics !== undefined) resolve();
        else reject(new Error(text.slice(0, 300)));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

interface Load {
  readonly millis: readonly number[];
  readonly failures: readonly string[];
}

/** 32 askers, each with one request under way; every request asks about another window, so no answer is a repetition. */
async function askForSeconds(url: string, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const until = performance.now() + seconds * 1000;
  const [millis, failures]: [number[], string[]] = [[], []];
  let asked = 0;
  const asker = async (): Promise<void> => {
    while (performance.now() < until) {
      const n = asked++;
      const from = new Date(nowMs - DAY_MS + (n % 360) * MINUTE_MS).toISOString();
      const to = new Date(nowMs - (Math.floor(n / 360) % 360) * MINUTE_MS).toISOString();
      const began = performance.now();
      try {
        await post(agent, url, JSON.stringify({ query: RED, variables: { from, to } }));
        millis.push(performance.now() - began);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, asker));
  agent.destroy();
  return { millis, failures };
}

async function graphql(running: Running, size: BenchSize): Promise<readonly Result[]> {
  const seconds = size.quick ? 10 : 30;
  size.say(`group: RED over GraphQL from ${CONNECTIONS} connections for ${seconds} s`);
  await askForSeconds(running.url, 2);
  const pids = await running.pids();
  const { result, ...cost } = await costOf(pids, () => askForSeconds(running.url, seconds));
  const { millis, failures } = result;
  const p99 = percentile(millis, 0.99);
  const detail = {
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
  const ok = p99 <= P99_TARGET_MS && failures.length === 0;
  return [
    figure('graphql.p99', p99, 'ms', `<= ${P99_TARGET_MS} ms`, ok, detail),
    figure('graphql.rate', millis.length / cost.seconds, 'requests/s', '-', failures.length === 0, detail),
  ];
}

async function run(size: BenchSize): Promise<readonly Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'flowledger-bench-group-'));
  try {
    size.say('group: first start');
    const first = await startFlowledger(join(directory, 'data'));
    await first.stop();
    size.say('group: second start');
    const second = await startFlowledger(join(directory, 'data'));
    try {
      const started = [
        startFigure('start.first', first, FIRST_START_S),
        startFigure('start.second', second, SECOND_START_S),
      ];
      const imported = await imports(second, directory, size);
      return [...started, ...imported, ...(await graphql(second, size))];
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
  figures: ['start.first', 'start.second', 'import.rate', 'import.rate_hour', 'graphql.p99', 'graphql.rate'],
  run,
};

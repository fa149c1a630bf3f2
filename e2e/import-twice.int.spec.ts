import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGroupState } from '@flowledger/cli';
import { ask, run, start, temporary, type Started } from './command.js';

const LINES = 60_000;
const NODES = 12;
const DAY_MS = 86_400_000;
const LIMIT_MIB = 1_536;
const PAGE_BYTES = 4096;

interface Summary {
  readonly read: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly rejected: Readonly<Record<string, number>>;
}

/** A flow of one of many pods, as the exporter writes it; `at` is ms since 1970. */
function flowLine(i: number, at: number): string {
  const node = `node-${i % NODES}`;
  const time = new Date(at).toISOString().replace('Z', `${String(i % 1_000_000).padStart(6, '0')}Z`);
  const endpoint = (pod: number, port: number): object => ({
    ID: pod,
    identity: 10_000 + (pod % 50),
    namespace: `shop-${pod % 7}`,
    labels: [
      `k8s:app=service-${pod % 50}`,
      `k8s:io.kubernetes.pod.namespace=shop-${pod % 7}`,
      `k8s:p=${port}`,
    ],
    pod_name: `service-${pod % 50}-7f9c-${pod}`,
  });
  const flow = {
    time,
    uuid: `00000000-0000-4000-8000-${i.toString(16).padStart(12, '0')}`,
    verdict: i % 20 === 0 ? 'DROPPED' : 'FORWARDED',
    IP: { source: `10.0.${i % 250}.1`, destination: `10.1.${i % 200}.2`, ipVersion: 'IPv4' },
    l4: { TCP: { source_port: 30_000 + (i % 20_000), destination_port: 8080, flags: { ACK: true } } },
    source: endpoint(i % 400, 1),
    destination: endpoint((i * 7) % 400, 2),
    Type: 'L3_L4',
    node_name: node,
    event_type: { type: 4 },
    traffic_direction: 'EGRESS',
    trace_observation_point: 'TO_STACK',
    is_reply: i % 2 === 0,
  };
  return `${JSON.stringify({ flow, node_name: node, time })}\n`;
}

/** An export of one day; `extra` lines stand before it, so that it is cut into other chunks. */
async function writeExport(path: string, endMs: number, extra: number): Promise<void> {
  const file = createWriteStream(path);
  for (let i = -extra; i < LINES; i++) {
    const at = endMs - DAY_MS + Math.floor((Math.max(i, 0) * (DAY_MS - 600_000)) / LINES);
    if (!file.write(flowLine(i < 0 ? LINES - i : i, at))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

/** Most resident memory of all processes of a group while it works, MiB; 0 where /proc is missing. */
async function watchMemory(directory: string): Promise<() => number> {
  const state = await readGroupState(directory);
  const pids = (state?.processes ?? []).map(({ pid }) => pid);
  const resident = (pid: number): number => {
    try {
      return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES) / 2 ** 20;
    } catch {
      return 0;
    }
  };
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(
      peak,
      pids.reduce((sum, pid) => sum + resident(pid), 0),
    );
  }, 100);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

describe('an import of a day', () => {
  let started: Started;
  let directory: Awaited<ReturnType<typeof temporary>>;
  const endMs = Math.floor(Date.now() / 60_000) * 60_000;

  beforeAll(async () => {
    directory = await temporary();
    started = await start(['--data-dir', join(directory.path, 'data'), '--port', '0', '--no-demo']);
  }, 120_000);

  afterAll(async () => {
    await started?.stop();
    await directory?.remove();
  }, 60_000);

  const imported = async (path: string): Promise<Summary> => {
    const { code, out, err } = await run(['import', path, '--url', started.url]);
    expect(code, err).toBe(0);
    return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Summary;
  };

  const stored = async (): Promise<number> => {
    const query = `query ($window: WindowInput) {
      flows(window: $window, first: 1) { totalCount(upTo: 1000000) { value } }
    }`;
    const window = {
      from: new Date(endMs - 2 * DAY_MS).toISOString(),
      to: new Date(endMs + 600_000).toISOString(),
    };
    const { flows } = await ask<{ flows: { totalCount: { value: number } } }>(started.url, query, { window });
    return flows.totalCount.value;
  };

  it('is stored once, however often it comes and however it is cut, within a bound of memory', async () => {
    const [file, cutOtherwise] = [join(directory.path, 'day.jsonl'), join(directory.path, 'other.jsonl')];
    await writeExport(file, endMs, 0);
    await writeExport(cutOtherwise, endMs, NODES);
    const stopWatching = await watchMemory(join(directory.path, 'data'));

    expect(await imported(file)).toMatchObject({ read: LINES, accepted: LINES, duplicate: 0, rejected: {} });
    expect(await stored()).toBe(LINES);

    expect(await imported(file)).toMatchObject({ read: LINES, accepted: 0, duplicate: LINES, rejected: {} });
    expect(await stored()).toBe(LINES);

    // No chunk of it is known: now the loader has to find every event in the store.
    const again = { read: LINES + NODES, accepted: NODES, duplicate: LINES, rejected: {} };
    expect(await imported(cutOtherwise)).toMatchObject(again);
    expect(await stored()).toBe(LINES + NODES);

    const peak = stopWatching();
    process.stdout.write(`import twice: all processes of the group together held ${Math.round(peak)} MiB\n`);
    expect(peak).toBeLessThan(LIMIT_MIB);
  }, 240_000);
});

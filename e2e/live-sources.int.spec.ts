import { appendFile, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGroupState } from '@flowledger/cli';
import { Simulation, toJsonLine, type SimulatedEvent } from '@flowledger/simulator';
import { FakeRelay, unusedPort } from '@flowledger/testkit';
import { eventually, run, start, temporary, type Started } from './command.js';

const NODES = ['demo/demo-worker-1', 'demo/demo-worker-2'];
const KILLS = 4;

let directory: Awaited<ReturnType<typeof temporary>>;
let relay: FakeRelay;
let group: Started;

const to = BigInt(Math.floor(Date.now() / 1000) - 60) * 1_000_000_000n;
const from = to - 240_000_000_000n;
const simulation = new Simulation({ seed: 13, from, to, nodes: 2, callsPerSecond: 10, scenario: 'test' });
const events = [...simulation.events()].filter((event): event is SimulatedEvent => event.kind === 'flow');

beforeAll(async () => {
  directory = await temporary();
  await mkdir(join(directory.path, 'exports'));
  relay = await FakeRelay.start({ nodes: NODES, ring: 65_535 });
  const port = String(await unusedPort());
  const words = ['--data-dir', directory.path, '--port', port, '--hubble-relay', relay.target];
  group = await start([...words, '--follow-file', join(directory.path, 'exports', 'events.log*')]);
}, 120_000);

afterAll(async () => {
  await group.stop();
  await relay.close();
  await directory.remove();
});

async function stored(): Promise<{ readonly rows: number; readonly ids: number }> {
  const url = /ClickHouse\s+(http:\S+)/.exec(group.out())?.[1] ?? '';
  const secrets: unknown = JSON.parse(
    await readFile(join(directory.path, 'run/store-credentials.json'), 'utf8'),
  );
  const password = (secrets as Readonly<Record<string, string>>)['grafana'] ?? '';
  const answer = await fetch(`${url}/?database=flowledger`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`grafana:${password}`).toString('base64')}` },
    body: 'SELECT count() AS rows, uniqExact(uuid) AS ids FROM flows FORMAT JSONEachRow',
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const row = JSON.parse(text) as Readonly<Record<string, number | string>>;
  return { rows: Number(row['rows']), ids: Number(row['ids']) };
}

describe('live sources of a whole system', () => {
  it('lose and double nothing while the ingestor is killed again and again, with the file of the same flows beside', async () => {
    const step = Math.ceil(events.length / KILLS);
    const file = join(directory.path, 'exports', 'events.log');
    for (let at = 0; at < events.length; at += step) {
      const some = events.slice(at, at + step);
      relay.publish(some.slice(0, step / 2));
      await appendFile(file, some.map((event) => `${toJsonLine(event)}\n`).join(''));
      await eventually('more is stored', 60_000, async () => (await stored()).ids > at);
      relay.publish(some.slice(step / 2));
      const ingestor = (await readGroupState(directory.path))?.processes.find(
        ({ name }) => name === 'ingestor',
      );
      process.kill(ingestor?.pid ?? 0, 'SIGKILL');
      await rename(file, `${file}.${at}`);
    }
    await eventually('all is stored', 60_000, async () => (await stored()).ids === events.length);
    expect(await stored()).toEqual({ rows: events.length, ids: events.length });
  }, 240_000);

  it('are shown by status, and no demo plays beside them', async () => {
    await eventually('status shows both', 60_000, async () => {
      const { out } = await run(['status', '--data-dir', directory.path]);
      return out.includes(`relay ${relay.target}: reading, 2 nodes`) && /file \S+: reading/.test(out);
    });
    expect(group.out()).not.toContain('demo');
  }, 90_000);
});

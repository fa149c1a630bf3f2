import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Simulation, toJsonLine } from '@flowledger/simulator';
import { makeAuthority } from '@flowledger/testkit';
import { run, start, temporary, type Finished, type Started } from './command.js';

const NS_PER_S = 1_000_000_000n;
const TOKEN = { FLOWLEDGER_OBSERVER_TOKEN: 'secret' };

let directory: Awaited<ReturnType<typeof temporary>>;
let group: Started;
let data: string;
/** Settings and flags that find and trust the server. */
let trusting: readonly string[];

beforeAll(async () => {
  directory = await temporary();
  data = join(directory.path, 'data');
  const authority = makeAuthority();
  const pair = authority.issue(['localhost']);
  const [certificate, key, ca] = ['cert.pem', 'key.pem', 'ca.pem'].map((name) => join(directory.path, name));
  if (certificate === undefined || key === undefined || ca === undefined) throw new Error('no paths');
  await writeFile(certificate, pair.certificate);
  await writeFile(key, pair.key);
  await writeFile(ca, authority.certificate);
  const tls = ['--observer-tls-cert', certificate, '--observer-tls-key', key];
  const listening = ['--data-dir', data, '--port', '0', '--observer-port', '0', '--no-demo', ...tls];
  const inferring = ['--observer-match-inferred', 'true'];
  group = await start([...listening, ...inferring], TOKEN);
  trusting = ['--data-dir', data, ...tls, '--tls-ca-cert-files', ca, '--tls-server-name', 'localhost'];
  const to = BigInt(Math.floor(Date.now() / 1000)) * NS_PER_S;
  const span = { from: to - 60n * NS_PER_S, to };
  const simulation = new Simulation({ seed: 7, ...span, callsPerSecond: 20, scenario: 'demo' });
  const file = join(directory.path, 'flows.jsonl');
  await writeFile(file, [...simulation.events()].map(toJsonLine).join('\n'));
  expect((await run(['import', file, '--data-dir', data])).code).toBe(0);
}, 120_000);
afterAll(async () => {
  await group?.stop();
  await directory?.remove();
});

const observe = (
  words: readonly string[],
  env: Readonly<Record<string, string>> = TOKEN,
): Promise<Finished> => run(['observe', ...trusting, ...words], '', env);

async function printed(...words: readonly string[]): Promise<readonly string[]> {
  const { code, out, err } = await observe(words);
  expect([code, err]).toEqual([0, '']);
  return out.trimEnd().split('\n');
}

describe('flowledger observe', () => {
  it('prints the last flows in every form, over TLS with the token of the configuration', async () => {
    const compact = await printed('--last', '7');
    expect(compact).toHaveLength(7);
    const times = compact.map((line) => line.split(' ')[0]);
    expect(times.toSorted()).toEqual(times);
    const json = (await printed('--last', '7', '-o', 'jsonpb')).map(
      (line) => (JSON.parse(line) as { flow: { time: string } }).flow.time,
    );
    expect(json).toEqual(times);
    const csv = await printed('--last', '7', '-o', 'csv');
    expect(csv.slice(1).map((line) => line.split(',')[0])).toEqual(times);
    const table = await printed('--last', '7', '-o', 'table');
    expect(table[0]).toMatch(/^TIMESTAMP +SOURCE +DESTINATION +TYPE +VERDICT +SUMMARY$/);
    expect(table.slice(1).map((line) => line.split(' ')[0])).toEqual(times);
    const dict = await printed('--last', '7', '-o', 'dict');
    expect(dict.filter((line) => line.includes('TIMESTAMP')).map((line) => line.split(': ')[1])).toEqual(
      times,
    );
  });

  it('takes the flags of hubble observe, relative days and a field mask', async () => {
    const words = ['--since', '1d', '--verdict', 'DROPPED', '--not', '--protocol', 'udp', '-o', 'jsonpb'];
    const dropped = (await printed(...words)).map(
      (line) => JSON.parse(line) as { flow: { verdict: string; l4?: { UDP?: object } } },
    );
    expect(dropped.length).toBeGreaterThan(5);
    for (const { flow } of dropped) expect([flow.verdict, flow.l4?.UDP]).toEqual(['DROPPED', undefined]);
    const [masked] = await printed('--last', '1', '-o', 'json', '--field-mask', 'verdict,of_the_future');
    const { flow } = JSON.parse(masked ?? '{}') as { flow: object };
    expect(Object.keys(flow)).toEqual(['verdict']);
    const raw = await run(['observe', '--verdict', 'DROPPED', '--print-raw-filters']);
    const { allowlist } = JSON.parse(raw.out) as { allowlist: readonly object[] };
    const same = await printed('--since', '1d', '--allowlist', JSON.stringify(allowlist), '-o', 'jsonpb');
    expect(same.length).toBeGreaterThanOrEqual(dropped.length);
    for (const line of same) expect(line).toContain('"verdict":"DROPPED"');
  });

  it('finds calls to a service after translation where the server infers, and says how many of each', async () => {
    const words = ['--since', '1d', '--to-service', 'shop/catalog', '-o', 'csv'];
    const { code, out, err } = await observe(words);
    expect(code).toBe(0);
    const [, exact = '0', inferred = '0'] =
      /^(\d+) flows match as sent, (\d+) only by an inferred name\n$/.exec(err) ?? [];
    const [head = '', ...rows] = out.trimEnd().split('\n');
    const column = head.split(',').indexOf('destination-service');
    const named = rows.filter((row) => row.split(',')[column] === 'catalog').length;
    expect([Number(exact), Number(exact) + Number(inferred)]).toEqual([named, rows.length]);
    expect(Math.min(Number(exact), Number(inferred))).toBeGreaterThan(0);
  });

  it('counts by keys as the flows themselves count', async () => {
    const [head, ...groups] = await printed('--since', '1d', '--aggregate-by', 'verdict,direction');
    expect(head).toBe('flows\tverdict\tdirection');
    const all = await printed('--since', '1d', '-o', 'csv');
    const rows = all.slice(1).length;
    const counts = groups.map((line) => Number(line.split('\t')[0]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    const dropped = groups.filter((line) => line.includes('DROPPED'));
    const expected = all.filter((line) => line.includes(',DROPPED,')).length;
    expect(dropped.reduce((sum, line) => sum + Number(line.split('\t')[0]), 0)).toBe(expected);
  });

  it('says below each dropped flow why it was dropped', async () => {
    const lines = await printed('--last', '3', '--verdict', 'DROPPED', '--type', 'drop', '--explain');
    expect(lines).toHaveLength(6);
    for (const why of lines.filter((_, i) => i % 2 === 1))
      expect(why).toMatch(/^ {4}\S.* was (dropped|denied)/);
  });

  it('refuses in one line, and names what is wrong', async () => {
    const refused = async (
      words: readonly string[],
      env?: Readonly<Record<string, string>>,
    ): Promise<string> => {
      const { code, out, err } = await observe(words, env);
      expect([code === 0, out]).toEqual([false, '']);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
      return err;
    };
    expect(await refused(['--from-ip', 'nowhere'])).toMatch(/whitelist\[0\]\.source_ip/);
    expect(await refused(['--last', '1'], { FLOWLEDGER_OBSERVER_TOKEN: 'wrong' })).toMatch(/bearer token/);
    const plain = ['--server', '127.0.0.1:1', '--basic-auth-username', 'ann', '--last', '1'];
    expect(await refused(plain)).toMatch(/--basic-auth-username needs TLS/);
    expect(await refused(['--last', '1', '--tls-client-key-file', '/nowhere/key.pem'])).toMatch(/nowhere/);
  });
});

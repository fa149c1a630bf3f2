import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ObserverServer } from '@flowledger/observer';
import { Simulation } from '@flowledger/simulator';
import { announceSkip } from '@flowledger/testkit';
import { finished, haveGo, hubbleCli, TESTED, type HubbleVersion } from './hubble-cli.js';
import { startObserverRig, type ObserverRig } from './observer-rig.js';

const SECOND_NS = 1_000_000_000n;
const NOW_MS = Math.floor(Date.now() / 1000) * 1000;
const BUILD_MS = 1_500_000;

const go = haveGo();
if (!go) {
  if (process.env['CI'] === 'true')
    throw new Error('the stock hubble CLIs need a Go toolchain, and CI has to have one');
  announceSkip('hubble CLI', 'there is no Go toolchain to build it with');
}

let rig: ObserverRig;
let server: ObserverServer;
let directory: string;
let exported: string;
const paths = new Map<HubbleVersion, string>();

beforeAll(async () => {
  if (!go) return;
  for (const version of TESTED) paths.set(version, await hubbleCli(version));
  const now = BigInt(NOW_MS) * 1_000_000n;
  const options = { seed: 20, from: now - 2400n * SECOND_NS, to: now, callsPerSecond: 1.5 } as const;
  const simulation = new Simulation({ ...options, scenario: 'demo' });
  rig = await startObserverRig(simulation.events(), NOW_MS);
  server = await rig.serve();
  directory = mkdtempSync(join(tmpdir(), 'flowledger-hubble-'));
  exported = join(directory, 'flows.jsonl');
  writeFileSync(exported, await online('1.19', ['--all', '-o', 'jsonpb']));
}, BUILD_MS);

afterAll(async () => {
  await rig?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true });
});

/** `hubble observe` of a version in front of the server; fails on any error. */
async function online(version: HubbleVersion, words: readonly string[], stopMs?: number): Promise<string> {
  return observe(version, ['--server', server.address, ...words], stopMs);
}

/** The same in front of the exported file. */
async function offline(version: HubbleVersion, words: readonly string[]): Promise<string> {
  return observe(version, ['--input-file', exported, ...words]);
}

async function observe(version: HubbleVersion, words: readonly string[], stopMs?: number): Promise<string> {
  const { code, out, err } = await run(version, ['observe', ...words], stopMs);
  if (code !== 0) throw new Error(`hubble ${version} observe ${words.join(' ')}: ${err}`);
  return out;
}

function run(version: HubbleVersion, words: readonly string[], stopMs?: number) {
  const path = paths.get(version);
  if (path === undefined) throw new Error(`hubble ${version} is not built`);
  return finished(path, words, stopMs === undefined ? {} : { stopMs });
}

/** The lines of the guide, word for word; see docs/35-hubble-cli.md. `--follow` and `jq` have tests of their own. */
const LINES = [
  '--namespace production',
  '--to-service payment-service',
  '--verdict DROPPED',
  '--protocol http --http-status 500',
  '--verdict DROPPED --type policy-verdict',
  '--from-pod production/my-app-xyz',
  '--protocol dns',
];

/** More of the filter flags, and the printers. */
const MORE = [
  '--last 7',
  '--first 7',
  '--last 200 --not --namespace shop',
  '--last 50 --label k8s:app=payments',
  '--last 50 --from-label app=frontend --to-label app=catalog',
  '--last 50 --to-fqdn *.example.com',
  '--last 50 --from-ip 10.0.0.0/8 --to-ip 198.51.100.0/24',
  '--last 50 --from-identity world --protocol tcp --to-port 8080',
  '--last 50 --pod shop/checkout --verdict DROPPED --drop-reason-desc POLICY_DENY',
  '--last 50 --from-workload Deployment/checkout --traffic-direction egress',
  '--last 50 --type l7 --http-method POST --http-path /orders',
  '--last 50 --type trace:to-overlay --node-name demo/demo-worker-2',
  '--last 50 --tcp-flags SYN,ACK',
  '--last 50 --ip-version v6',
  '--last 5 --protocol dns -o dict',
  '--last 5 --verdict DROPPED -o table',
  '--last 5 -o jsonpb',
  '--last 5 -o json',
  '--last 30 --print-node-name',
];

describe.runIf(go).each([...TESTED])('hubble %s', (version) => {
  it.each(LINES)(
    'observe %s is not empty and is what the CLI prints of the same flows in a file',
    async (line) => {
      const words = line.split(' ');
      const printed = await online(version, words);
      expect(printed.split('\n').length).toBeGreaterThan(1);
      // A server gives the last 20 when nothing is said, a file all it has.
      expect(printed).toBe(await offline(version, [...words, '--last', '20']));
    },
  );

  it.each(MORE)('observe %s is what the CLI prints of the same flows in a file', async (line) => {
    const words = line.split(' ');
    const printed = await online(version, words);
    expect(printed).not.toBe('');
    expect(printed).toBe(await offline(version, words));
  });

  it('observe -o json has the labels that the guide reads with jq', async () => {
    const lines = (await online(version, ['-o', 'json'])).trim().split('\n');
    expect(lines).toHaveLength(20);
    const labels = lines.map(
      (line) => (JSON.parse(line) as { flow: { source: { labels: string[] } } }).flow.source.labels,
    );
    for (const each of labels) expect(each.length).toBeGreaterThan(0);
  });

  it('observe --since --until is inclusive and complete, in order of time', async () => {
    const at = (secondsAgo: number): string => new Date(NOW_MS - secondsAgo * 1000).toISOString();
    const words = ['--since', at(600), '--until', at(300), '-o', 'jsonpb'];
    const times = timesOf(await online(version, words));
    const all = timesOf(await online(version, ['--all', '-o', 'jsonpb']));
    const within = (time: string): boolean => time >= nineDigits(at(600)) && time <= nineDigits(at(300));
    expect(times).toEqual(all.filter(within));
    expect(times.length).toBeGreaterThan(100);
    expect(all.toSorted()).toEqual(all);
  });

  it('status, list nodes and list namespaces know the cluster', async () => {
    const words = ['--server', server.address];
    const status = await run(version, ['status', ...words]);
    expect(status).toMatchObject({ code: 0, err: '' });
    expect(status.out).toMatch(
      /Healthcheck \(via .*\): Ok\n.*Flows: [\d,]+.*\n(.*\n)?.*Connected Nodes: 4\/4/,
    );
    const nodes = (await run(version, ['list', 'nodes', ...words])).out.split('\n').slice(1, -1);
    expect(nodes.map((line) => line.split(/\s+/).slice(0, 2))).toEqual(
      [1, 2, 3, 4].map((node) => [`demo/demo-worker-${node}`, 'Connected']),
    );
    const namespaces = (await run(version, ['list', 'namespaces', ...words])).out.split('\n').slice(1, -1);
    expect(namespaces).toEqual(['default', 'kube-system', 'monitoring', 'production', 'shop', 'staging']);
  });

  it('a bad filter is told with its field, and nothing is printed', async () => {
    const { code, out, err } = await run(version, [
      'observe',
      '--server',
      server.address,
      '--http-path',
      '(',
    ]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/InvalidArgument.*whitelist\[\d\]\.http_path/);
  });

  it('watch peers names this server, as a relay would look for it', async () => {
    const options = { stopLines: 1, stopMs: 20_000 };
    const words = ['watch', 'peers', '--server', server.address];
    const { out } = await finished(paths.get(version) ?? '', words, options);
    expect(out.trim().split(/\s+/)).toEqual(['PEER_ADDED', server.address, 'flowledger']);
  });

  it('agent events come back; debug events are refused as a relay refuses them', async () => {
    const agent = await run(version, ['observe', 'agent-events', '--server', server.address, '--last', '3']);
    expect([agent.code, agent.err]).toEqual([0, '']);
    expect(agent.out).not.toContain('UNKNOWN');
    expect(agent.out.trim().split('\n')).toHaveLength(3);
    const debug = await run(version, ['observe', 'debug-events', '--server', server.address]);
    expect(debug.err).toContain('Unimplemented');
  });
});

/** RFC 3339 with all nine digits, which sorts as text. */
function nineDigits(time: string): string {
  const [whole = '', fraction = ''] = time.slice(0, -1).split('.');
  return `${whole}.${fraction.padEnd(9, '0')}Z`;
}

/** Time of every flow of JSON lines. */
function timesOf(printed: string): string[] {
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { flow?: { time: string } })
    .flatMap(({ flow }) => (flow === undefined ? [] : [nineDigits(flow.time)]));
}

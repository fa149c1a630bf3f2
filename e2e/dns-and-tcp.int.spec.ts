import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectedRed, type CallRecord } from '@flowledger/simulator';
import { SCENARIOS, SETUP_MS, windowInput, type Scenario } from './truth/scenarios.js';
import { startTruthPipeline, type TruthPipeline } from './truth/truth-pipeline.js';

const CALM = SCENARIOS.find(({ name }) => name.includes('nothing'));
const INCIDENT = SCENARIOS.find(({ name }) => name.includes('policy'));
if (CALM === undefined || INCIDENT === undefined) throw new Error('no such scenario');

let pipeline: TruthPipeline;

beforeAll(async () => {
  pipeline = await startTruthPipeline([CALM, INCIDENT]);
}, SETUP_MS);

afterAll(() => pipeline?.stop());

const NUMBERS = 'queries answers nxdomain servfail denied unanswered';
interface DnsNumbers {
  readonly answers: number;
  readonly nxdomain: number;
  readonly servfail: number;
  readonly denied: number;
  readonly queries: number;
  readonly unanswered: number;
}

async function dnsByName(scenario: Scenario): Promise<ReadonlyMap<string, DnsNumbers>> {
  const query = `query Dns($window: WindowInput) {
    dns(window: $window, limit: 1000) { groups { key { value } stats { ${NUMBERS} } } groupCount missing { path reason } }
  }`;
  interface Answer {
    dns: { groups: { key: { value: string }[]; stats: DnsNumbers }[]; groupCount: number };
  }
  const { dns } = await pipeline.ask<Answer>(query, { window: windowInput(scenario) });
  expect(dns.groupCount).toBe(dns.groups.length);
  return new Map(dns.groups.map(({ key, stats }) => [key[0]?.value ?? '', stats]));
}

/** Answers and refusals of calls by name, as the truth counts them. */
function truthByName(calls: readonly CallRecord[], { fromNs, toNs }: Scenario) {
  const lookUps = calls.filter(({ protocol }) => protocol === 'dns');
  const byName = new Map<string, { answers: number; denied: number }>();
  for (const { endpoint, requests, denied } of expectedRed(lookUps, { fromNs, toNs }, 'endpoint')) {
    const known = byName.get(endpoint) ?? { answers: 0, denied: 0 };
    byName.set(endpoint, { answers: known.answers + requests, denied: known.denied + denied });
  }
  return byName;
}

describe('dns in simulated traffic', () => {
  it.each([CALM, INCIDENT])('says the truth about every name when $name', async (scenario) => {
    const { calls } = pipeline.played(scenario);
    const told = await dnsByName(scenario);
    const all = truthByName(calls, scenario);
    const absent = truthByName(
      calls.filter(({ code }) => code === 3),
      scenario,
    );
    const failed = truthByName(
      calls.filter(({ code }) => code === 2),
      scenario,
    );
    expect([...told.keys()].toSorted()).toEqual([...all.keys()].toSorted());
    for (const [name, { answers, denied }] of all) {
      const [nxdomain, servfail] = [absent.get(name)?.answers ?? 0, failed.get(name)?.answers ?? 0];
      expect(told.get(name), name).toMatchObject({ answers, denied, nxdomain, servfail });
    }
    expect([...absent.values()].some(({ answers }) => answers > 0)).toBe(true);
  });

  it('finds every query answered where nothing is lost', async () => {
    for (const [name, { queries, answers, unanswered }] of await dnsByName(CALM)) {
      expect(unanswered, name).toBe(0);
      // A query just before the window may be answered in it, and one at its end after it.
      expect(Math.abs(queries - answers), name).toBeLessThanOrEqual(1);
    }
  });
});

interface TcpNumbers {
  readonly established: number;
  readonly unanswered: number;
  readonly refused: number;
  readonly halfOpen: number;
  readonly dropped: number;
}

async function tcpByEdge(scenario: Scenario): Promise<ReadonlyMap<string, TcpNumbers>> {
  const query = `query Tcp($window: WindowInput) {
    tcpHealth(window: $window, limit: 1000) {
      groups { key { value } stats { established unanswered refused halfOpen dropped } } missing { path }
    }
  }`;
  interface Answer {
    tcpHealth: { groups: { key: { value: string | null }[]; stats: TcpNumbers }[] };
  }
  const { tcpHealth } = await pipeline.ask<Answer>(query, { window: windowInput(scenario) });
  return new Map(tcpHealth.groups.map(({ key, stats }) => [key.map(({ value }) => value).join(' '), stats]));
}

const named = ({ namespace, workload }: CallRecord['client']): string =>
  namespace === '' ? workload : `${namespace}/${workload}`;
const edgeOf = ({ client, server, serverPort }: CallRecord): string =>
  `${named(client)} ${named(server)} ${serverPort}`;

describe('tcpHealth in simulated traffic', () => {
  it.each([CALM, INCIDENT])(
    'tells established from dropped connections of every edge when $name',
    async (scenario) => {
      const { calls } = pipeline.played(scenario);
      const proxied = new Set(calls.filter(({ l7ReportedBy }) => l7ReportedBy !== 'none').map(edgeOf));
      const opened = calls.filter(({ transport, newConnection }) => transport === 'TCP' && newConnection);
      const plain = opened.filter((call) => !proxied.has(edgeOf(call)) && call.server.workload !== '');
      const seen = (kind: string, { observations }: CallRecord): boolean =>
        observations.some((line) => line.emitted && line.kind === kind);
      const told = await tcpByEdge(scenario);
      for (const edge of new Set(plain.map(edgeOf))) {
        const of = plain.filter((call) => edgeOf(call) === edge);
        const established = of.filter((call) => call.denied === undefined && seen('connection', call)).length;
        const dropped = of.filter((call) => call.denied !== undefined && seen('drop', call)).length;
        const { halfOpen, refused, ...numbers } = told.get(edge) ?? { halfOpen: 0, refused: 0 };
        expect({ edge, halfOpen, refused }).toEqual({ edge, halfOpen: 0, refused: 0 });
        if (established + dropped > 0)
          expect({ edge, ...numbers }).toEqual({ edge, established, dropped, unanswered: 0 });
      }
      expect(plain.length).toBeGreaterThan(50);
    },
  );
});

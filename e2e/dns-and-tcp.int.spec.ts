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
    expect([...failed.values()].some(({ answers }) => answers > 0)).toBe(true);
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
  readonly opened: number;
  readonly established: number;
  readonly unanswered: number;
  readonly refused: number;
  readonly halfOpen: number;
  readonly dropped: number;
}

async function tcpTotal(scenario: Scenario): Promise<TcpNumbers> {
  const query = `query Tcp($window: WindowInput) {
    tcpHealth(window: $window) { total { opened established unanswered refused halfOpen dropped } missing { path } }
  }`;
  const { tcpHealth } = await pipeline.ask<{ tcpHealth: { total: TcpNumbers } }>(query, {
    window: windowInput(scenario),
  });
  return tcpHealth.total;
}

describe('tcpHealth in simulated traffic', () => {
  it.each([CALM, INCIDENT])('tells dropped from established connections when $name', async (scenario) => {
    const calls = pipeline
      .played(scenario)
      .calls.filter(({ transport, newConnection }) => transport === 'TCP' && newConnection);
    const seen = (kinds: readonly string[], call: CallRecord): boolean =>
      call.observations.some(({ kind, emitted }) => kinds.length > 0 && emitted && kinds.includes(kind));
    const established = calls.filter((call) => call.denied?.kind !== 'packet' && seen(['connection'], call));
    const dropped = calls.filter((call) => call.denied?.kind === 'packet' && seen(['drop'], call));
    const total = await tcpTotal(scenario);
    expect(total).toMatchObject({
      established: established.length,
      dropped: dropped.length,
      refused: 0,
      halfOpen: 0,
    });
  });
});

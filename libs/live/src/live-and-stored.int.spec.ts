import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOADER_GROUP } from '@flowledger/event-log';
import {
  DEFAULT_LIMITS,
  planFlows,
  planLabels,
  readFlows,
  readLabels,
  type FlowRow,
  type LabelledFlow,
  type LogCursor,
  type QueryContext,
} from '@flowledger/query';
import { Simulation, type SimulatedEvent } from '@flowledger/simulator';
import { storedKeys } from '@flowledger/sink';
import { startTestPipeline, type TestPipeline } from '@flowledger/testkit';
import { openLiveFlows } from './open-live-flows.js';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const SECOND_NS = 1_000_000_000n;
const HOUR_NS = 3_600n * SECOND_NS;
const KEPT_NS = 20_000n * 24n * HOUR_NS;
const CONTEXT: QueryContext = {
  tenant: 'default',
  nowNs: NOW_NS,
  limits: DEFAULT_LIMITS,
  retention: { rawNs: KEPT_NS, minuteNs: KEPT_NS, hourNs: KEPT_NS },
};

function simulated(fromS: number, toS: number): SimulatedEvent[] {
  const at = (seconds: number): bigint => NOW_NS + BigInt(seconds) * SECOND_NS;
  const faults = { duplicateShare: 0.2, aggregatedShare: 0.1 };
  const options = {
    seed: 5,
    from: at(fromS),
    to: at(toS),
    scenario: 'test',
    callsPerSecond: 5,
    faults,
  } as const;
  return [...new Simulation({ ...options, incidentStart: at(-20) }).events()];
}

/** The same with bytes as text, because the store's client gives them as a `Buffer`. */
function plain(flow: LabelledFlow | undefined): unknown {
  const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
  const wire = flow?.flow.wire;
  const bytes = { extra: hex(flow?.flow.extra), wire: { ...wire, policies: hex(wire?.policies) } };
  return { ...flow, flow: { ...flow?.flow, ...bytes } };
}

/** Ids of what the store holds from a place of the log on. */
function behind(stored: ReadonlyMap<string, LabelledFlow>, { partitions }: LogCursor): string[] {
  const ids: string[] = [];
  for (const [id, { flow }] of stored) {
    const { partition, offset } = flow.position;
    if (offset >= (partitions[partition]?.offset ?? 0n)) ids.push(id);
  }
  return ids;
}

describe('the live tail over a real store', () => {
  let pipeline: TestPipeline;

  beforeAll(async () => {
    pipeline = await startTestPipeline({ nowMs: NOW_MS });
  });

  afterAll(() => pipeline.stop());

  /** Does something that appends so many events; resolves when readers of the log see them. */
  async function appended(count: number, append: () => Promise<unknown>): Promise<void> {
    const seen = async (): Promise<number> => {
      const bounds = await Promise.all([0, 1].map((p) => pipeline.log.bounds(p)));
      return bounds.reduce((sum, { eventsBeforeEnd }) => sum + Number(eventsBeforeEnd), 0);
    };
    const before = await seen();
    await append();
    await vi.waitFor(async () => expect(await seen()).toBe(before + count), { timeout: 10_000 });
  }

  async function feed(fromS: number, toS: number): Promise<void> {
    const events = simulated(fromS, toS);
    await appended(events.length, () => pipeline.feed(events));
  }

  /** All flows that the store answers, by id, with every part. */
  async function stored(): Promise<ReadonlyMap<string, LabelledFlow>> {
    await pipeline.loaded();
    const found = new Map<string, LabelledFlow>();
    for (let after: string | null = null; ;) {
      const parts = ['l7', 'policies', 'extra', 'wire'] as const;
      const window = { fromNs: NOW_NS - HOUR_NS, toNs: NOW_NS + HOUR_NS };
      const planned = planFlows({ window, first: 1000, after, parts }, CONTEXT);
      if (!planned.ok) throw new Error(planned.error.hint);
      const { rows } = await pipeline.store.query<FlowRow>(planned.value.plan);
      const page = readFlows(rows, planned.value);
      const ids = page.flows.flatMap(({ source, destination, wire }) => [
        source.labelSet,
        destination.labelSet,
        wire?.nodeLabelSet ?? '0',
      ]);
      const labels = readLabels(
        (await pipeline.store.query<{ id: string; labels: string[] }>(planLabels(ids, CONTEXT))).rows,
      );
      for (const flow of page.flows)
        found.set(flow.id, {
          flow,
          sourceLabels: labels.get(flow.source.labelSet) ?? [],
          destinationLabels: labels.get(flow.destination.labelSet) ?? [],
          nodeLabels: labels.get(flow.wire?.nodeLabelSet ?? '0') ?? [],
        });
      if (!page.hasNextPage) return found;
      after = page.cursors.at(-1) ?? null;
    }
  }

  const tail = () =>
    openLiveFlows({
      log: pipeline.log,
      group: LOADER_GROUP,
      tenant: 'default',
      lingerMs: 0,
      rawTtlDays: 20_000,
      keys: storedKeys(pipeline.store),
    });

  /** Everything a tail from a cursor gives until it has caught up. */
  async function live(after: LogCursor): Promise<readonly LabelledFlow[]> {
    const request = {
      after,
      matches: () => true,
      maxBufferedBytes: 2 ** 28,
      signal: AbortSignal.timeout(30_000),
    };
    const found: LabelledFlow[] = [];
    for await (const step of tail().tail(request)) {
      if (step.kind === 'flows') found.push(...step.flows);
      if (step.kind === 'caught_up') return found;
    }
    throw new Error('the tail did not catch up');
  }

  it('gives each flow exactly as the store answers it, labels included', async () => {
    await feed(-60, -30);
    const expected = await stored();
    const start = { epoch: pipeline.log.epoch, partitions: [0, 1].map(() => ({ offset: 0n, event: 0 })) };
    const found = await live(start);
    expect(found.length).toBe(expected.size);
    for (const flow of found) expect(plain(flow)).toEqual(plain(expected.get(flow.flow.id)));
  });

  it('knows after a restart what the tables hold, so that nothing a relay sends again comes twice', async () => {
    const known = await stored();
    const cursor = await tail().loaded();
    await feed(-60, -25);
    const found = await live(cursor);
    const expected = await stored();
    expect(expected.size).toBeGreaterThan(known.size);
    expect(found.map(({ flow }) => flow.id).toSorted()).toEqual(behind(expected, cursor).toSorted());
  });

  it('leaves out what an import repeats, however long ago it came', async () => {
    const known = await stored();
    const cursor = await tail().loaded();
    const events = simulated(-60, -20);
    await appended(events.length, () => pipeline.importJson(events, { forget: true }));
    const found = await live(cursor);
    const expected = await stored();
    expect(expected.size).toBeGreaterThan(known.size);
    expect(expected.size - known.size).toBeLessThan(events.length / 2);
    expect(found.map(({ flow }) => flow.id).toSorted()).toEqual(behind(expected, cursor).toSorted());
  });
});

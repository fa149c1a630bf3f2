import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  compilePredicate,
  type FlowFilters,
  type FlowPredicate,
  type FlowRecord,
  type LabelledFlow,
  type LiveStep,
  type LogCursor,
} from '@flowledger/query';
import { idsOf, simulated, TailRig } from './testing/tail-rig.js';

const EVENTS = simulated(6, { faults: { duplicateShare: 0.3, lostEvents: 0.2 } });

const rigs: TailRig[] = [];
async function openRig(...args: Parameters<typeof TailRig.open>): Promise<TailRig> {
  const rig = await TailRig.open(...args);
  rigs.push(rig);
  return rig;
}

afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.close()));
});

const caughtUp = (steps: readonly LiveStep[]): boolean => steps.some(({ kind }) => kind === 'caught_up');
const sorted = (ids: readonly string[]): string[] => ids.toSorted();
const startOf = (rig: TailRig): LogCursor => ({
  epoch: rig.log.epoch,
  partitions: Array.from({ length: rig.log.partitions }, () => ({ offset: 0n, event: 0 })),
});

describe('the live tail', () => {
  it('gives with the history every flow once, wherever the loader stands and whenever one begins', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 60 }), { minLength: 2, maxLength: 2 }),
        fc.integer({ min: 0, max: EVENTS.length }),
        fc.constantFrom(5, 20),
        async (commits, first, each) => {
          const rig = await TailRig.open(2);
          try {
            await rig.append(EVENTS.slice(0, first), each * 10);
            for (const [p, to] of commits.entries()) await rig.load(p, BigInt(to));
            const cursor = await rig.live.loaded();
            const history = rig.before(cursor).map(({ id }) => id);
            const appending = rig.append(EVENTS.slice(first), each * 10);
            let wanted: number | undefined;
            const steps = await rig.steps(cursor, async (found) => {
              await appending;
              wanted ??= (await rig.everything()).length - history.length;
              return caughtUp(found) && idsOf(found).length >= wanted;
            });
            const expected = (await rig.everything()).map(({ id }) => id);
            expect(sorted([...history, ...idsOf(steps)])).toEqual(sorted(expected));
            expect(steps.filter(({ kind }) => kind === 'caught_up')).toHaveLength(1);
          } finally {
            await rig.close();
          }
        },
      ),
      { numRuns: 10 },
    );
  }, 60_000);

  it('leaves out what a reconnecting relay sent twice', async () => {
    const rig = await openRig(2);
    await rig.append(EVENTS);
    const ids = idsOf(await rig.steps(startOf(rig), caughtUp));
    const flows = EVENTS.filter(({ kind }) => kind === 'flow').length;
    expect(ids.length).toBeLessThan(flows);
    expect(new Set(ids).size).toBe(ids.length);
    expect(sorted(ids)).toEqual(sorted((await rig.everything()).map(({ id }) => id)));
  });

  it('goes on from the cursor of any step without gap or repetition', async () => {
    const rig = await openRig(2);
    await rig.append(EVENTS, 40);
    const [whole, parts] = [idsOf(await rig.steps(startOf(rig), caughtUp)), [] as string[]];
    let cursor = startOf(rig);
    while (parts.length < whole.length) {
      const steps = await rig.steps(cursor, (found) => idsOf(found).length > 0);
      parts.push(...idsOf(steps));
      const last = steps.findLast((step) => step.kind === 'flows');
      if (last?.kind === 'flows') cursor = last.cursor;
    }
    expect(sorted(parts)).toEqual(sorted(whole));
  });

  it('begins within a record where the cursor says so', async () => {
    const rig = await openRig(1);
    const calm = simulated(12);
    const ofNode = calm.filter(({ kind, node }) => kind === 'flow' && node === calm[0]?.node);
    await rig.append(ofNode.slice(0, 40));
    const after = { epoch: rig.log.epoch, partitions: [{ offset: 0n, event: 30 }] };
    const steps = await rig.steps(after, caughtUp);
    expect(idsOf(steps)).toHaveLength(10);
  });

  it('reads nothing when nobody listens', async () => {
    const rig = await openRig(2);
    await rig.steps(startOf(rig), caughtUp);
    const { reads } = rig;
    await rig.append(EVENTS);
    // The pollers that were waiting when the reader left end within their wait.
    await expect.poll(async () => rig.reads - reads, { timeout: 3_000 }).toBeLessThanOrEqual(2);
    const settled = rig.reads;
    await rig.append(EVENTS.slice(0, 50));
    expect(rig.reads).toBe(settled);
  });

  it('goes on for a while when the last reader has left, so that the next one waits for no keys', async () => {
    const rig = await openRig(2, { lingerMs: 60_000 });
    await rig.append(EVENTS.slice(0, 100));
    const first = idsOf(await rig.steps(startOf(rig), caughtUp));
    const { seeds } = rig;
    await rig.append(EVENTS.slice(100));
    const second = idsOf(await rig.steps(startOf(rig), caughtUp));
    expect(rig.seeds).toBe(seeds);
    expect(second.length).toBeGreaterThan(first.length);
    expect(sorted(second)).toEqual(sorted((await rig.everything()).map(({ id }) => id)));
  });

  it('stops in a while when nobody comes', async () => {
    const rig = await openRig(1, { lingerMs: 50 });
    await rig.steps(startOf(rig), caughtUp);
    await rig.append(EVENTS.slice(0, 50));
    // A poller waits a second for records; without lingering none comes after that.
    await expect
      .poll(
        async () => {
          const { reads } = rig;
          await rig.append(EVENTS.slice(0, 20));
          return rig.reads - reads;
        },
        { timeout: 10_000 },
      )
      .toBe(0);
  });

  it('reads and decodes once for many readers', async () => {
    const rig = await openRig(1);
    const until = (found: readonly LiveStep[]): boolean => idsOf(found).length >= flows;
    const flows = 100;
    const readers = Array.from({ length: 50 }, () => rig.steps(startOf(rig), until));
    await rig.append(EVENTS, 200);
    const ids = (await Promise.all(readers)).map((steps) => idsOf(steps).slice(0, flows));
    for (const of of ids) expect(of).toEqual(ids[0]);
    expect(rig.reads).toBeLessThan(60);
  });

  it('tells of events that the source lost', async () => {
    const rig = await openRig(2);
    await rig.append(EVENTS);
    const steps = await rig.steps(startOf(rig), caughtUp);
    const lost = steps.filter((step) => step.kind === 'missed').reduce((sum, step) => sum + step.count, 0n);
    expect(EVENTS.some(({ kind }) => kind === 'lost_events')).toBe(true);
    expect(lost).toBeGreaterThan(0n);
    expect(steps.every((step) => step.kind !== 'missed' || step.reason === 'SOURCE_LOSS')).toBe(true);
  });
});

describe('readers with filters', () => {
  /** With and without a fact that all their flows share, alone and beside others. */
  const FILTERS: readonly FlowFilters[] = [
    {},
    { allow: [{ sourcePod: ['shop/'] }] },
    { allow: [{ sourcePod: ['shop/', 'production/my'] }, { sourcePod: ['monitoring/'] }] },
    { allow: [{ sourcePod: ['shop/'] }, { destinationPod: ['shop/'] }] },
    { allow: [{ verdict: ['DROPPED'] }] },
    { allow: [{ verdict: ['DROPPED', 'AUDIT'], destinationPod: ['shop/'] }], deny: [{ protocol: ['udp'] }] },
    { deny: [{ verdict: ['FORWARDED'] }] },
    { allow: [{ protocol: ['dns'] }] },
    { allow: [{ nodeName: ['demo/demo-worker-1'] }] },
    { allow: [{ destinationPort: ['443', '8080'] }] },
    { allow: [{ sourcePod: ['nobody/'] }] },
  ];
  const predicateOf = (filters: FlowFilters): FlowPredicate => {
    const compiled = compilePredicate(filters);
    if (!compiled.ok) throw new Error(compiled.error.hint);
    return compiled.value;
  };
  const unlabelled = (flow: FlowRecord): LabelledFlow => ({
    flow,
    sourceLabels: [],
    destinationLabels: [],
    nodeLabels: [],
  });

  it('each get what their filter passes, whoever else reads and comes or goes', async () => {
    const predicates = FILTERS.map(predicateOf);
    expect(new Set(predicates.map(({ requires }) => requires?.fact)).size).toBeGreaterThan(3);
    const rig = await openRig(2);
    const half = EVENTS.length / 2;
    await rig.append(EVENTS.slice(0, half));
    let appended = false;
    const readers = [...predicates, ...predicates].map(async (matches, i) => {
      const wanted = async (): Promise<number> =>
        (await rig.everything()).filter((flow) => matches(unlabelled(flow))).length;
      const first = await rig.steps(startOf(rig), caughtUp, { matches });
      const cursor = first.findLast((step) => step.kind !== 'missed')?.cursor ?? startOf(rig);
      const rest = await rig.steps(
        cursor,
        async (found) => appended && idsOf([...first, ...found]).length >= (await wanted()),
        // Every other one with a filter of its own, so that equal and like ones are there.
        { matches: i % 2 === 0 ? matches : predicateOf(FILTERS[i % FILTERS.length] ?? {}) },
      );
      return idsOf([...first, ...rest]);
    });
    await rig.append(EVENTS.slice(half), 10);
    appended = true;
    // Whoever waits for nothing is woken by what the source lost, or by this.
    const waking = simulated(1, { faults: { lostEvents: 1 } });
    await rig.append(waking.filter(({ kind }) => kind === 'lost_events'));
    const found = await Promise.all(readers);
    const everything = await rig.everything();
    for (const [i, ids] of found.entries()) {
      const matches = predicates[i % predicates.length] ?? (() => false);
      const passing = everything.filter((flow) => matches(unlabelled(flow))).map(({ id }) => id);
      expect(sorted(ids)).toEqual(sorted(passing));
    }
  }, 60_000);

  it('have cursors that go past what did not concern them', async () => {
    const rig = await openRig(2);
    const [node] = new Set(EVENTS.map((event) => event.node));
    const matches = predicateOf({ allow: [{ nodeName: [node ?? ''] }] });
    const tail = rig.live
      .tail({ after: startOf(rig), matches, maxBufferedBytes: 2 ** 26, signal: AbortSignal.timeout(20_000) })
      [Symbol.asyncIterator]();
    expect((await tail.next()).value).toMatchObject({ kind: 'caught_up' });
    const flows = simulated(4).filter(({ kind }) => kind === 'flow');
    await rig.append(flows.filter((event) => event.node !== node));
    const all = await rig.live.end();
    // Another reader on the same tails has it all: so the tails have come that far.
    await rig.steps(startOf(rig), caughtUp);
    await rig.append(flows.filter((event) => event.node === node).slice(0, 1));
    const { value } = await tail.next();
    await tail.return?.();
    if (value?.kind !== 'flows') throw new Error('no flow came');
    for (const [p, { offset }] of all.partitions.entries())
      expect(value.cursor.partitions[p]?.offset).toBeGreaterThanOrEqual(offset);
  });
});

describe('a reader that stops reading', () => {
  it('holds a bounded buffer and is told how many flows it missed, with a cursor that gives them', async () => {
    const rig = await openRig(1);
    const stop = AbortSignal.timeout(20_000);
    const flows = simulated(10);
    const got: string[] = [];
    const request = { after: startOf(rig), matches: () => true, maxBufferedBytes: 100_000, signal: stop };
    const tail = rig.live.tail(request)[Symbol.asyncIterator]();
    expect((await tail.next()).value).toMatchObject({ kind: 'caught_up' });
    await rig.append(flows, 20);
    const other = await rig.steps(startOf(rig), caughtUp);
    const wanted = (await rig.everything()).map(({ id }) => id);
    expect(idsOf(other)).toHaveLength(wanted.length);
    let missed: Extract<LiveStep, { kind: 'missed' }> | undefined;
    while (missed === undefined) {
      const { value } = await tail.next();
      if (value?.kind === 'missed') missed = value;
      else if (value?.kind === 'flows') got.push(...idsOf([value]));
      else throw new Error('the tail ended');
    }
    await tail.return?.();
    expect(missed.reason).toBe('SLOW_CONSUMER');
    expect(got.length + Number(missed.count)).toBe(wanted.length);
    const again = idsOf(await rig.steps(missed.resume, caughtUp));
    expect(sorted([...got, ...again])).toEqual(sorted(wanted));
  });

  it('does not slow the others', async () => {
    const rig = await openRig(1);
    const stop = AbortSignal.timeout(20_000);
    const tail = rig.live
      .tail({ after: startOf(rig), matches: () => true, maxBufferedBytes: 1, signal: stop })
      [Symbol.asyncIterator]();
    await tail.next();
    await rig.append(EVENTS);
    const wanted = (await rig.everything()).length;
    const after = { epoch: rig.log.epoch, partitions: [{ offset: 0n, event: 0 }] };
    expect(idsOf(await rig.steps(after, (found) => idsOf(found).length === wanted))).toHaveLength(wanted);
    await tail.return?.();
  });
});

describe('a cursor of another log', () => {
  it('is refused', async () => {
    const rig = await openRig(1);
    const after = { epoch: rig.log.epoch + 1n, partitions: [{ offset: 0n, event: 0 }] };
    await expect(rig.steps(after, () => true)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

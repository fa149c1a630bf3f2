import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AppError, silentLog, systemClock, type Clock } from '@flowledger/platform';
import type { LiveStep, LogCursor, OpenLiveFlows, TailRequest } from '@flowledger/query';
import { serveHubbleMetrics, type HubbleMetricsServer } from './serve-hubble-metrics.js';
import { flowsOf } from './testing/flow-of.js';

const cursor = (offset: bigint): LogCursor => ({ epoch: 7n, partitions: [{ offset, event: 0 }] });
const drops = (count: number): LiveStep => ({
  kind: 'flows',
  flows: flowsOf(Array.from({ length: count }, () => ({ verdict: 'DROPPED', event_type: { type: 1 } }))),
  cursor: cursor(BigInt(count)),
});

/** A tail that gives these steps, tail after tail, and then waits; notes where each tail began. */
class ScriptedTail implements OpenLiveFlows {
  readonly began: bigint[] = [];

  constructor(private readonly script: (LiveStep | AppError)[][]) {}

  loaded = (): Promise<LogCursor> => Promise.resolve(cursor(0n));
  end = (): Promise<LogCursor> => Promise.resolve(cursor(0n));

  async *tail({ after, signal }: TailRequest): AsyncGenerator<LiveStep, void, undefined> {
    this.began.push(after.partitions[0]?.offset ?? -1n);
    for (const step of this.script.shift() ?? []) {
      if (step instanceof AppError) throw step;
      yield step;
    }
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }
}

let server: HubbleMetricsServer | undefined;
afterEach(() => server?.close());

async function serve(
  live: OpenLiveFlows,
  more: { host?: string; enabled?: string[]; configFile?: string; clock?: Clock } = {},
): Promise<HubbleMetricsServer> {
  const clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  const base = {
    live,
    enabled: ['drop'],
    configFile: '',
    host: '127.0.0.1',
    port: 0,
    insecure: false,
    maxSeries: 100,
    idleMs: 1000,
  };
  return (server = await serveHubbleMetrics({
    ...base,
    correct: false,
    bufferBytes: 1000,
    logger: silentLog,
    clock,
    ...more,
  }));
}

async function text(accept = 'text/plain'): Promise<string> {
  const response = await fetch(server?.url ?? '', { headers: { accept } });
  return response.text();
}

describe('the endpoint', () => {
  it('serves what the live tail gave, and goes on where it was after a fault', async () => {
    const fault = new AppError('LOG_UNAVAILABLE', 'read', { retry: true });
    const live = new ScriptedTail([[drops(3), fault], [drops(2)]]);
    await serve(live);
    await vi.waitFor(async () => expect(await text()).toMatch(/^hubble_drop_total\{.*\} 5$/m));
    expect(live.began).toEqual([0n, 3n]);
  });

  it('counts what the source lost apart from what the tail left out', async () => {
    const missed = { kind: 'missed', fromNs: 0n, toNs: 0n, resume: cursor(1n) } as const;
    await serve(
      new ScriptedTail([
        [
          { ...missed, reason: 'SOURCE_LOSS', count: 4n, lossSource: 3 },
          { ...missed, reason: 'SLOW_CONSUMER', count: 5n },
        ],
      ]),
    );
    await vi.waitFor(async () => {
      const lines = (await text()).split('\n');
      expect(lines).toContain('hubble_lost_events_total{source="hubble_ring_buffer"} 4');
      expect(lines).toContain('flowledger_hubble_metrics_missed_total{reason="SLOW_CONSUMER"} 5');
    });
  });

  it('speaks OpenMetrics to those who ask for it', async () => {
    await serve(new ScriptedTail([[drops(1)]]));
    const open = await fetch(server?.url ?? '', {
      headers: { accept: 'application/openmetrics-text; version=1.0.0' },
    });
    expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(await open.text()).toMatch(/# TYPE hubble_drop counter\n[^]*# EOF\n$/);
    expect(await text()).not.toContain('# EOF');
  });

  it('answers nothing but the metrics', async () => {
    await serve(new ScriptedTail([]));
    expect((await fetch((server?.url ?? '').replace('/metrics', '/'))).status).toBe(404);
  });

  it('counts what the filters of a configuration file let pass, and takes the file in place of entries', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'metrics-'));
    try {
      const configFile = join(directory, 'metrics.yaml');
      const flow = { name: 'flow', excludeFilters: [{ verdict: ['DROPPED'] }] };
      await writeFile(configFile, JSON.stringify({ metrics: [{ name: 'drop' }, flow] }));
      const script = [[drops(3)]];
      await expect(serve(new ScriptedTail(script), { configFile })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
      await serve(new ScriptedTail(script), { configFile, enabled: [], clock: systemClock });
      await vi.waitFor(async () => expect(await text()).toMatch(/^hubble_drop_total\{.*\} 3$/m));
      expect(await text()).not.toMatch(/^hubble_flows_processed_total\{/m);
      expect(await text()).toContain('flowledger_hubble_metrics_config_file_holds 1\n');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('listens beyond loopback only when told so', async () => {
    await expect(serve(new ScriptedTail([]), { host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(serve(new ScriptedTail([]), { enabled: ['nothing'] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

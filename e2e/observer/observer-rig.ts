import { migrate } from '@flowledger/column-store';
import { encodeEnvelope, Projection } from '@flowledger/model';
import { createObserverServer, type ObserverServer, type ObserverServerOptions } from '@flowledger/observer';
import { openLog } from '@flowledger/platform';
import type { SimulatedEvent } from '@flowledger/simulator';
import { MIGRATIONS, startTestStore, type TestStore } from '@flowledger/testkit';

const EVENTS_A_RECORD = 500;
const KEPT_DAYS = 20_000;
const DAY_NS = 86_400_000_000_000n;

/** A real engine with the simulated events in its tables, and observer servers over it. */
export interface ObserverRig {
  readonly store: TestStore;
  serve(options?: Partial<ObserverServerOptions>): Promise<ObserverServer>;
  stop(): Promise<void>;
}

/** Starts the engine and loads the events as the worker would, in one batch; takes about three seconds. */
export async function startObserverRig(
  events: Iterable<SimulatedEvent>,
  receivedMs: number,
): Promise<ObserverRig> {
  const store = await startTestStore();
  const connection = {
    url: store.url,
    user: 'writer',
    password: store.password('writer'),
    database: store.database,
  };
  const variables = { RAW_TTL_DAYS: KEPT_DAYS, ROLLUP_TTL_DAYS: KEPT_DAYS, HOUR_TTL_DAYS: KEPT_DAYS };
  await migrate(connection, { directory: MIGRATIONS, variables });
  await load(store, events, receivedMs);
  const servers: ObserverServer[] = [];
  const kept = BigInt(KEPT_DAYS) * DAY_NS;
  return {
    store,
    serve: async (options = {}) => {
      const server = await createObserverServer({
        store: store.store('reader'),
        host: '127.0.0.1',
        port: 0,
        credentials: { token: '', username: '', password: '' },
        insecure: false,
        matchInferred: false,
        tenant: 'default',
        version: '0.0.0-test',
        log: openLog('observer-test', 'error'),
        retention: { rawNs: kept, minuteNs: kept, hourNs: kept },
        ...options,
      });
      servers.push(server);
      return server;
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.close()));
      await store.stop();
    },
  };
}

async function load(store: TestStore, events: Iterable<SimulatedEvent>, receivedMs: number): Promise<void> {
  const seen = new Set<string>();
  const projection = new Projection({
    logEpoch: 7n,
    partition: 0,
    rawTtlMs: KEPT_DAYS * 86_400_000,
    isDuplicate: ({ id }, key) => {
      const name = `${id} ${key}`;
      const known = seen.has(name);
      seen.add(name);
      return known;
    },
  });
  let offset = 0n;
  const add = (bytes: readonly Uint8Array[]): void => {
    const header = { version: 1, tenant: 'default', cluster: 'demo', stream: 'all', source: 'demo' } as const;
    const whole = { ...header, codec: 'hubble.get_flows_response', count: bytes.length, receivedMs } as const;
    projection.add({ offset: offset++, value: encodeEnvelope(whole, bytes), events: bytes.length });
  };
  let open: Uint8Array[] = [];
  for (const { bytes } of events) {
    open.push(bytes);
    if (open.length === EVENTS_A_RECORD) add(open.splice(0));
  }
  if (open.length > 0) add(open);
  const { flows, events: others, labelSets, endpoints } = projection.take();
  const writer = store.store('writer');
  for (const batch of [flows, others, labelSets, endpoints])
    await writer.insert(batch, { token: `${batch.table}-test` });
}

import { join } from 'node:path';
import { createServer } from 'node:net';
import { access, constants, mkdir } from 'node:fs/promises';
import {
  AppError,
  assertSafeBinding,
  isAppError,
  systemClock,
  childEnvironment,
  Lifecycle,
  takeProcessLock,
  type Config,
  type Log,
  startTicks,
} from '@flowledger/platform';
import { migrateStore } from '../commands/migrate.js';
import { killLeftovers, writeGroupState, type GroupState, type ProcessEntry } from './run-state.js';
import { startStoreProcess, type StoreProcess } from './store-process.js';
import { Supervised } from './supervised.js';

/** An api whose supervisor was killed ends by itself within its own deadline for stopping. */
const PORT_WAIT_MS = 25_000;
const PORT_POLL_MS = 100;

/** Compiled entries of the three processes; given by the composition root, because a library may not know apps. */
export interface GroupEntries {
  readonly ingestor: string;
  readonly worker: string;
  readonly api: string;
}

export interface RunningGroup {
  readonly url: string;
  readonly storeUrl: string;
  /** `host:port` of Hubble's Observer API; absent when it is switched off. */
  readonly observer?: string;
  /** What the ingestor said about its demo, if it plays one. */
  readonly demo?: { readonly nodes: number; readonly incident: string; readonly history: string };
  /** Intake first, store last; true when every part stopped cleanly. */
  stop(deadlineMs: number): Promise<boolean>;
}

/**
 * Starts everything on one machine: the embedded engine (unless `store.url` names a server), migrations, then
 * ingestor, worker and api as child processes, each started again when it ends unasked. Rejects CONFLICT when the
 * directory or the port is taken, before anything else is opened.
 */
export async function startGroup(config: Config, entries: GroupEntries, log: Log): Promise<RunningGroup> {
  assertSafeBinding(config.api.host, config.api.token, config.api.insecure);
  const dataDir = config.data.dir;
  await writable(dataDir);
  const life = new Lifecycle(log);
  life.own('lock', await takeProcessLock(join(dataDir, 'run'), 'group'));
  try {
    return await startAll(config, entries, log, life);
  } catch (error) {
    await life.stop(10_000);
    throw error;
  }
}

async function startAll(
  config: Config,
  entries: GroupEntries,
  log: Log,
  life: Lifecycle,
): Promise<RunningGroup> {
  const dataDir = config.data.dir;
  const died = await killLeftovers(dataDir);
  const port = await freePort(config.api.host, config.api.port, died ? PORT_WAIT_MS : 0);
  const supervisor = self();
  const children: Supervised[] = [];
  let store: StoreProcess | undefined;
  const url = `http://${config.api.host}:${port}`;
  const changed = (): void => {
    const processes = [store?.entry, ...children.map((c) => c.entry)].filter((e) => e !== undefined);
    const incident = children.find((c) => c.name === 'ingestor')?.facts['demoIncident'];
    const banner =
      typeof incident === 'string' ? { banner: `Demo cluster. An incident is playing: ${incident}` } : {};
    const state: GroupState = { url, supervisor, processes, ...banner };
    writing = writing.then(() => writeGroupState(dataDir, state)).catch(() => {});
  };
  let writing = Promise.resolve();
  life.own('state', () => writing);
  if (config.store.url === '') {
    store = await startStoreProcess(config, log, changed);
    life.own('store', store.stop);
  }
  // Ingestor and worker are on one machine here, so neither may take a port that was meant for it alone.
  const admin = { ...config.admin, host: '127.0.0.1', port: 0 };
  const effective = withStore({ ...config, admin, api: { ...config.api, port } }, store);
  await migrateStore(effective, store !== undefined);
  const environment = (): Record<string, string> => childEnvironment(effective);
  const child = (name: keyof GroupEntries): Supervised => {
    const supervised = new Supervised({ name, entry: entries[name], environment, log, changed });
    children.push(supervised);
    return supervised;
  };
  const [api, worker, ingestor] = [child('api'), child('worker'), child('ingestor')];
  for (const part of [api, worker, ingestor]) life.own(part.name, () => stopChild(part));
  // The api asks the ingestor's log for its bounds, so the log has to exist first.
  await ingestor.start();
  await Promise.all([worker.start(), api.start()]);
  const { observer } = api.facts;
  const { demoNodes, demoIncident } = ingestor.facts;
  const demo =
    typeof demoNodes === 'number' && typeof demoIncident === 'string'
      ? { nodes: demoNodes, incident: demoIncident, history: inHours(config.demo.history) }
      : undefined;
  return {
    url,
    storeUrl: effective.store.url,
    ...(demo === undefined ? {} : { demo }),
    ...(typeof observer === 'string' ? { observer } : {}),
    stop: (ms) => life.stop(ms),
  };
}

async function stopChild(child: Supervised): Promise<void> {
  if (!(await child.stop(15_000)))
    throw new AppError('INTERNAL', `${child.name} did not stop cleanly`, { retry: false });
}

function withStore(config: Config, store: StoreProcess | undefined): Config {
  if (store === undefined) return config;
  const { url, credentials } = store;
  return {
    ...config,
    store: { ...config.store, url, password: credentials.writer, readPassword: credentials.reader },
  };
}

function self(): ProcessEntry {
  const { pid } = process;
  return {
    name: 'supervisor',
    pid,
    startTicks: startTicks(pid) ?? '',
    since: new Date().toISOString(),
    restarts: 0,
  };
}

async function writable(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.R_OK);
  } catch (cause) {
    throw new AppError('CONFLICT', `cannot write to ${directory}`, { retry: false, cause });
  }
}

/** Fails in one clear line when the port is taken and does not come free within `waitMs`; picks one for 0. */
async function freePort(host: string, port: number, waitMs: number): Promise<number> {
  const deadline = systemClock.monotonic() + waitMs;
  for (;;) {
    try {
      return await tryPort(host, port);
    } catch (error) {
      if (!isAppError(error) || !error.retry || systemClock.monotonic() >= deadline) throw error;
      await systemClock.sleep(PORT_POLL_MS);
    }
  }
}

async function tryPort(host: string, port: number): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const busy = cause.code === 'EADDRINUSE';
      const message = busy ? `port ${port} is in use` : `cannot listen on ${host}:${port}`;
      reject(new AppError('CONFLICT', message, { retry: busy, ...(busy ? {} : { cause }) }));
    });
    probe.listen(port, host, resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : port;
}

function inHours(ms: number): string {
  return ms >= 3_600_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 60_000)} min`;
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppendRecord } from '@flowledger/event-log';
import { AppError, type Clock, type Config, type Log, type Metrics } from '@flowledger/platform';
import { openFileMetrics } from './follow/file-metrics.js';
import { FileSource } from './follow/file-source.js';
import type { SamplingOptions } from './policy/flow-sampler.js';
import { parsePolicy } from './policy/parse-policy.js';
import { HubbleClient, type TlsSettings } from './relay/hubble-client.js';
import { PeerSource } from './relay/peer-source.js';
import { openRelayMetrics } from './relay/relay-metrics.js';
import { RelaySource, type SourceState } from './relay/relay-source.js';

/** A source that runs until it is stopped. */
export interface LiveSource {
  readonly states: readonly SourceState[];
  /** Resolves after `signal` aborts, when what was received is in the log; rejects with what no retry can mend. */
  run(signal: AbortSignal): Promise<void>;
}

/** What the sources of a process share. */
export interface LiveSourceParts {
  readonly config: Config;
  readonly partitions: number;
  /** Appends what a kind of source brought. */
  readonly appender: (source: string) => (records: readonly AppendRecord[]) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Sampling {
  readonly sampling?: SamplingOptions;
}

/** The live sources that the configuration names. Rejects CONFIG_INVALID when a certificate or policy file is none. */
export async function openLiveSources(parts: LiveSourceParts): Promise<readonly LiveSource[]> {
  const { source } = parts.config;
  const sampling = source.samplingPolicy === '' ? {} : { sampling: await readPolicy(parts) };
  const relays = source.hubbleRelay.length === 0 ? [] : await openRelays(parts, sampling);
  return source.followFiles.length === 0 ? relays : [...relays, openFiles(parts, sampling)];
}

/** True when the configuration names anything that brings flows. */
export function hasSource({ source }: Config): boolean {
  return source.hubbleFiles.length > 0 || source.hubbleRelay.length > 0 || source.followFiles.length > 0;
}

async function openRelays(parts: LiveSourceParts, sampling: Sampling): Promise<readonly LiveSource[]> {
  const { config, partitions, appender, clock, log, metrics } = parts;
  const { source, data } = config;
  const tls = await readTls(source);
  // Certificates that are none are refused at the start, not at the first connection.
  if (tls !== undefined) new HubbleClient({ target: 'localhost', tls }).close();
  const common = {
    tenant: source.tenant,
    cluster: source.cluster,
    partitions,
    append: appender('relay'),
    clock,
    log,
    metrics: openRelayMetrics(metrics),
    bufferBytes: source.relayBuffer,
    reopenMs: source.relayReopen,
    idleMs: source.relayIdle,
    ...sampling,
  };
  return source.hubbleRelay.map((target): LiveSource => {
    const address = tls === undefined ? { target } : { target, tls };
    const place = join(data.dir, 'sources', encodeURIComponent(target));
    if (source.relayMode === 'peers') return new PeerSource({ ...common, address, stateDirectory: place });
    return new RelaySource({ ...common, address, stateFile: `${place}.json` });
  });
}

function openFiles({ config, metrics, appender, ...rest }: LiveSourceParts, sampling: Sampling): LiveSource {
  const { source, data } = config;
  return new FileSource({
    ...rest,
    tenant: source.tenant,
    cluster: source.cluster,
    append: appender('hubble-file'),
    metrics: openFileMetrics(metrics),
    patterns: source.followFiles,
    stateFile: join(data.dir, 'sources', 'files.json'),
    bufferBytes: source.relayBuffer,
    ...sampling,
  });
}

/** Refuses a policy with every problem it has: one that means something else than was written loses flows. */
async function readPolicy({ config, metrics }: LiveSourceParts): Promise<SamplingOptions> {
  const path = config.source.samplingPolicy;
  const parsed = parsePolicy((await readText(path)) ?? '');
  if (!parsed.ok)
    throw new AppError('CONFIG_INVALID', `${path}: ${parsed.problems.join('; ')}`, { retry: false });
  const leftOut = metrics.counter(
    'flowledger_ingest_left_out_events_total',
    'Flows that the sampling policy left out',
    ['reason'],
  );
  return { policy: parsed.policy, leftOut };
}

async function readTls(source: Config['source']): Promise<TlsSettings | undefined> {
  if (!source.relayTls) return undefined;
  const [ca, certificate, key] = await Promise.all(
    [source.relayTlsCa, source.relayTlsCert, source.relayTlsKey].map(readText),
  );
  if ((certificate === undefined) !== (key === undefined))
    throw new AppError('CONFIG_INVALID', 'source.relayTlsCert and source.relayTlsKey belong together', {
      retry: false,
    });
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(source.relayTlsServerName === '' ? {} : { serverName: source.relayTlsServerName }),
  };
}

async function readText(path: string): Promise<string | undefined> {
  if (path === '') return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `cannot read ${path}`, { retry: false, cause });
  }
}

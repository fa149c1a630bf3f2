import { randomBytes } from 'node:crypto';
import { AppError } from '@flowledger/platform';
import { errnoOf, readSmallFile, replaceSmallFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { metaPath } from './layout.js';
import { FORMAT_VERSION } from './record.js';

/** What never changes in the life of a log, and whether its partitions were all created. */
export interface LogMeta {
  readonly epoch: bigint;
  readonly partitions: number;
  /** `creating` until every partition has its first segment; from then on a missing file is damage. */
  readonly state: 'creating' | 'ready';
}

const MAX_PARTITIONS = 1024;
/** A row of a rollup has one writer, so each partition more is a row more of every edge and minute (ADR 12). */
const NEW_PARTITIONS = 2;

function parseMeta(text: string): LogMeta | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const fields = new Map(Object.entries(value));
    const epoch = fields.get('epoch');
    const partitions = fields.get('partitions');
    const state = fields.get('state');
    if (typeof epoch !== 'string' || !/^\d{1,19}$/.test(epoch) || typeof partitions !== 'number')
      return undefined;
    if (fields.get('format') !== FORMAT_VERSION || (state !== 'creating' && state !== 'ready'))
      return undefined;
    return { epoch: BigInt(epoch), partitions, state };
  } catch {
    return undefined;
  }
}

/** Reads the log's meta file; undefined when there is no log yet. Rejects LOG_CORRUPT. */
export async function readMeta(fs: FileSystem, directory: string): Promise<LogMeta | undefined> {
  const path = metaPath(directory);
  try {
    const meta = parseMeta((await readSmallFile(fs, path)).toString('utf8'));
    if (meta !== undefined) return meta;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  throw new AppError('LOG_CORRUPT', `${path} is damaged or of another format version`, { retry: false });
}

async function writeMeta(fs: FileSystem, directory: string, meta: LogMeta): Promise<void> {
  const { epoch, partitions, state } = meta;
  const text = JSON.stringify({ format: FORMAT_VERSION, epoch: epoch.toString(), partitions, state });
  await replaceSmallFile(fs, metaPath(directory), Buffer.from(`${text}\n`));
}

/** A random positive 63-bit number: unique per creation of a log, and it fits a signed column. */
function newEpoch(): bigint {
  const epoch = randomBytes(8).readBigUInt64LE() >> 1n;
  return epoch === 0n ? 1n : epoch;
}

/** Refuses a partition count that is no count, or differs from the existing log's. Throws CONFIG_INVALID. */
export function checkPartitions(asked: number | undefined, meta: LogMeta | undefined): void {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > MAX_PARTITIONS)) {
    throw new AppError(
      'CONFIG_INVALID',
      `event log partitions must be 1 to ${MAX_PARTITIONS}, not ${asked}`,
      {
        retry: false,
      },
    );
  }
  if (asked === undefined || meta === undefined || asked === meta.partitions) return;
  const text = `the event log has ${meta.partitions} partitions for life, the configuration asks for ${asked}`;
  throw new AppError('CONFIG_INVALID', text, { retry: false, details: { has: meta.partitions, asked } });
}

/** The existing log's meta, or that of a new log with `asked` partitions, else two. Writer only. Rejects CONFIG_INVALID, LOG_CORRUPT. */
export async function openMeta(
  fs: FileSystem,
  directory: string,
  asked: number | undefined,
): Promise<LogMeta> {
  const existing = await readMeta(fs, directory);
  checkPartitions(asked, existing);
  if (existing !== undefined) return existing;
  const meta: LogMeta = { epoch: newEpoch(), partitions: asked ?? NEW_PARTITIONS, state: 'creating' };
  await writeMeta(fs, directory, meta);
  return meta;
}

/** Records that every partition was created. */
export async function markReady(fs: FileSystem, directory: string, meta: LogMeta): Promise<void> {
  if (meta.state !== 'ready') await writeMeta(fs, directory, { ...meta, state: 'ready' });
}

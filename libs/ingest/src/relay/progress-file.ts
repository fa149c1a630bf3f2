import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Mark, SavedNode } from './node-progress.js';

interface SavedMark {
  readonly stream: string;
  readonly at: string;
}

interface SavedEntry {
  readonly time: string;
  readonly mark?: SavedMark;
}

/**
 * How far a source has got, by node; empty when there is no file, or none that can be read. Then the source asks for
 * everything that the rings hold, which costs duplicates for the loader and no flow.
 */
export async function readProgress(path: string): Promise<ReadonlyMap<string, SavedNode>> {
  const nodes = new Map<string, SavedNode>();
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return nodes;
  }
  if (!isObject(parsed) || !isObject(parsed['nodes'])) return nodes;
  for (const [name, entry] of Object.entries(parsed['nodes'])) {
    if (!isObject(entry)) continue;
    const timeNs = nanos(entry['time']);
    const mark = readMark(entry['mark']);
    if (timeNs !== undefined) nodes.set(name, mark === undefined ? { timeNs } : { timeNs, mark });
  }
  return nodes;
}

/** Replaces the file: written beside it, synced, renamed. A kill at any moment leaves the old or the new content. */
export async function writeProgress(path: string, nodes: ReadonlyMap<string, SavedNode>): Promise<void> {
  const entries: Record<string, SavedEntry> = Object.create(null) as Record<string, SavedEntry>;
  for (const [name, { timeNs, mark }] of nodes) {
    const time = timeNs.toString();
    entries[name] =
      mark === undefined ? { time } : { time, mark: { stream: mark.stream, at: mark.atNs.toString() } };
  }
  await replaceFile(path, JSON.stringify({ version: 1, nodes: entries }));
}

/** Writes a small file so that it is there whole or not at all. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w');
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

function readMark(value: unknown): Mark | undefined {
  if (!isObject(value) || typeof value['stream'] !== 'string') return undefined;
  const atNs = nanos(value['at']);
  return atNs === undefined ? undefined : { stream: value['stream'], atNs };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nanos(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}

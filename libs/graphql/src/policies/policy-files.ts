import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock, Log } from '@flowledger/platform';
import { readPolicyDocuments, type ReadDocuments } from './policy-documents.js';
import type { PolicySource, PolicyState, SourceProblem } from './policy-source.js';

const MAX_FILES = 1000;
const MAX_BYTES = 16 * 1024 * 1024;
/** A changed file is seen after this long, ms. */
const LOOK_MS = 5000;
const ENDINGS = /\.(ya?ml|json)$/;

interface KnownFile {
  readonly mark: string;
  readonly read: ReadDocuments;
}

/**
 * Policies from files and directories (their `.yaml`, `.yml` and `.json` files, one level). They are looked at again when
 * somebody asks, every five seconds at most, and read again when size or time changed. What cannot be read is a problem
 * in the answers, said once in the log.
 */
export function openPolicyFiles(paths: readonly string[], clock: Clock, log: Log): PolicySource {
  const known = new Map<string, KnownFile>();
  const told = new Set<string>();
  let looked = -Infinity;
  let current: Promise<PolicyState> | undefined;
  const look = async (): Promise<PolicyState> => {
    const { files, problems } = await findFiles(paths);
    for (const path of known.keys()) if (!files.some((file) => file.path === path)) known.delete(path);
    for (const file of files) await refresh(file, known, problems);
    const read = [...known.values()].map((one) => one.read);
    const all = [...problems, ...read.flatMap((one) => one.problems)];
    for (const problem of all) {
      const text = `${problem.origin}: ${problem.reason}`;
      if (!told.has(text)) log.warn({ ...problem }, 'policy objects that cannot be read');
      told.add(text);
    }
    return { snapshots: read.map((one) => one.snapshot), problems: all };
  };
  return {
    state: () => {
      if (current === undefined || clock.monotonic() - looked > LOOK_MS) {
        looked = clock.monotonic();
        current = look();
      }
      return current;
    },
  };
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly mark: string;
}

interface Found {
  readonly files: readonly FoundFile[];
  readonly problems: SourceProblem[];
}

async function findFiles(paths: readonly string[]): Promise<Found> {
  const files: FoundFile[] = [];
  const problems: SourceProblem[] = [];
  for (const path of paths) {
    try {
      const at = await stat(path);
      const names = at.isDirectory()
        ? (await readdir(path)).filter((name) => ENDINGS.test(name)).toSorted()
        : [];
      const within = at.isDirectory() ? names.map((name) => join(path, name)) : [path];
      for (const file of within) {
        const { size, mtimeMs } = file === path ? at : await stat(file);
        files.push({ path: file, size, mark: `${size} ${mtimeMs}` });
      }
    } catch {
      problems.push({ origin: path, reason: 'cannot be read' });
    }
  }
  if (files.length > MAX_FILES)
    problems.push({ origin: paths.join(', '), reason: `more than ${MAX_FILES} files; the rest is not read` });
  return { files: files.slice(0, MAX_FILES), problems };
}

async function refresh(
  file: FoundFile,
  known: Map<string, KnownFile>,
  problems: SourceProblem[],
): Promise<void> {
  const { path, size, mark } = file;
  if (known.get(path)?.mark === mark) return;
  const origin = basename(path);
  if (size > MAX_BYTES) {
    known.delete(path);
    problems.push({ origin, reason: `larger than ${MAX_BYTES / 1024 / 1024} MiB` });
    return;
  }
  try {
    known.set(path, { mark, read: readPolicyDocuments(await readFile(path, 'utf8'), origin) });
  } catch {
    known.delete(path);
    problems.push({ origin, reason: 'cannot be read' });
  }
}

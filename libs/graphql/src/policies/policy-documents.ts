import { parseAllDocuments } from 'yaml';
import { parsePolicies, type Json, type PolicySnapshot } from '@flowledger/policy';
import type { SourceProblem } from './policy-source.js';

/** `2026-11-22T18:30:00Z`, also without colons, as file names have it. */
const TIME = /(\d{4}-\d{2}-\d{2})T(\d{2})[:-]?(\d{2})[:-]?(\d{2})Z/;
const COMMENT = /^#\s*flowledger\s+(valid-from|cluster):\s*(\S+)\s*$/gm;
const MILLISECOND_NS = 1_000_000n;
/** Aliases of one document that are followed: a few lines must not grow to gigabytes. */
const MAX_ALIASES = 100;

/** Policies of one text, and what could not be read of it. */
export interface ReadDocuments {
  readonly snapshot: PolicySnapshot;
  readonly problems: readonly SourceProblem[];
}

function timeOf(text: string): bigint | null {
  const [, day, hour, minute, second] = TIME.exec(text) ?? [];
  if (day === undefined) return null;
  const ms = Date.parse(`${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? null : BigInt(ms) * MILLISECOND_NS;
}

/**
 * Reads YAML (or JSON) text with policy objects: single ones, several documents, lists as kubectl dumps them. Since when
 * it was valid says a line `# flowledger valid-from: <time>`, else a time in the name of the file, else nothing; a line
 * `# flowledger cluster: <name>` narrows it to one cluster. Bad YAML is a problem, not an exception.
 */
export function readPolicyDocuments(text: string, origin: string): ReadDocuments {
  const comments = new Map([...text.matchAll(COMMENT)].map((match) => [match[1], match[2] ?? '']));
  const problems: SourceProblem[] = [];
  const values: Json[] = [];
  for (const document of parseAllDocuments(text)) {
    if (!('errors' in document)) continue;
    const [error] = document.errors;
    if (error !== undefined) problems.push({ origin, reason: error.message.split('\n')[0] ?? 'bad YAML' });
    else values.push(plainValue(document, origin, problems));
  }
  const validFrom = comments.get('valid-from');
  if (validFrom !== undefined && timeOf(validFrom) === null)
    problems.push({ origin, reason: `valid-from is no time: ${validFrom}` });
  const snapshot: PolicySnapshot = {
    origin,
    validFromNs: timeOf(validFrom ?? origin),
    cluster: comments.get('cluster') ?? '',
    ...parsePolicies(values),
  };
  return { snapshot, problems };
}

function plainValue(
  document: { toJS(options: { maxAliasCount: number }): unknown },
  origin: string,
  problems: SourceProblem[],
): Json {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as Json;
  } catch (error) {
    problems.push({ origin, reason: error instanceof Error ? error.message : 'bad YAML' });
    return null;
  }
}

import { readdir } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/**
 * Paths that a pattern names: `*` and `?` stand for any characters within one name, in folders too; `*` does not match a
 * leading dot. Sorted. What cannot be listed matches nothing.
 */
export async function expandGlob(pattern: string): Promise<readonly string[]> {
  let found: readonly string[] = [isAbsolute(pattern) ? sep : '.'];
  for (const part of pattern.split(/[\\/]+/).filter((name) => name !== '' && name !== '.')) {
    found = (await Promise.all(found.map((folder) => step(folder, part)))).flat();
  }
  return [...new Set(found)].sort();
}

async function step(folder: string, part: string): Promise<readonly string[]> {
  if (!/[*?]/.test(part)) return [join(folder, part)];
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => matchesName(part, name)).map((name) => join(folder, name));
}

/** Whether a name without folders fits a pattern. Pure; takes time in proportion to both lengths multiplied. */
export function matchesName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  let reachable = new Set<number>([0]);
  for (const char of name) {
    const next = new Set<number>();
    for (const at of closure(pattern, reachable)) {
      const wanted = pattern[at];
      if (wanted === '*') next.add(at);
      else if (wanted === '?' || wanted === char) next.add(at + 1);
    }
    reachable = next;
  }
  return closure(pattern, reachable).has(pattern.length);
}

/** Positions reachable without a character: a star may stand for none. */
function closure(pattern: string, positions: ReadonlySet<number>): ReadonlySet<number> {
  const all = new Set<number>();
  for (const start of positions) {
    let at = start;
    all.add(at);
    while (pattern[at] === '*') all.add(++at);
  }
  return all;
}

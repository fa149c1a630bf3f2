import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog, systemClock, type Clock, type Log } from '@flowledger/platform';
import { readPolicyDocuments } from './policy-documents.js';
import { openPolicyFiles } from './policy-files.js';

const POLICY = 'kind: NetworkPolicy\nmetadata: { name: np, namespace: shop }\nspec: { podSelector: {} }\n';
const DUMP = `apiVersion: v1\nkind: List\nitems:\n  - ${POLICY.trim().replaceAll('\n', '\n    ')}\n  - kind: Service\n    metadata: { name: s }\n`;

describe('policy documents', () => {
  it('say since when they were valid by a comment, else by the name of the file', () => {
    const noon = BigInt(Date.UTC(2026, 10, 22, 12)) * 1_000_000n;
    const text = `# flowledger valid-from: 2026-11-22T12:00:00Z\n# flowledger cluster: east\n${POLICY}`;
    expect(readPolicyDocuments(text, 'a.yaml').snapshot).toMatchObject({
      validFromNs: noon,
      cluster: 'east',
    });
    expect(readPolicyDocuments(POLICY, 'dump-2026-11-22T120000Z.yaml').snapshot.validFromNs).toBe(noon);
    expect(readPolicyDocuments(POLICY, 'dump-2026-11-22T12-00-00Z.yaml').snapshot.validFromNs).toBe(noon);
    expect(readPolicyDocuments(POLICY, 'now.yaml').snapshot.validFromNs).toBeNull();
    const wrong = readPolicyDocuments(`# flowledger valid-from: yesterday\n${POLICY}`, 'a.yaml');
    expect(wrong.problems).toEqual([{ origin: 'a.yaml', reason: 'valid-from is no time: yesterday' }]);
  });

  it('are dumps of kubectl, several documents, or JSON; other kinds are passed over', () => {
    const names = (text: string): readonly string[] =>
      readPolicyDocuments(text, 'a').snapshot.policies.map(({ name }) => name);
    expect(names(DUMP)).toEqual(['np']);
    expect(names(`${POLICY}---\n${POLICY.replace('np', 'second')}`)).toEqual(['np', 'second']);
    expect(names('{"kind":"NetworkPolicy","metadata":{"name":"j"},"spec":{"podSelector":{}}}')).toEqual([
      'j',
    ]);
    expect(names('')).toEqual([]);
    expect(names('- 1\n- 2\n')).toEqual([]);
  });

  it('that are no YAML, or a bomb of aliases, are a problem and not an exception', () => {
    expect(readPolicyDocuments('a: [1', 'bad.yaml').problems).toHaveLength(1);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'
      .split('')
      .map((name, i) => `${name}: &${name} [${`*${'abcdefg'[i]},`.repeat(9).slice(0, -1)}]`)
      .join('\n')}\n`;
    expect(readPolicyDocuments(bomb, 'bomb.yaml').problems).toHaveLength(1);
  });
});

describe('policy files', () => {
  let directory: string;
  let now: number;
  const clock: Clock = { ...systemClock, monotonic: () => now };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'flowledger-policies-'));
    now = 0;
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('are read from directories and single files, and again when they change', async () => {
    mkdirSync(join(directory, 'd'));
    writeFileSync(join(directory, 'd', 'a.yaml'), POLICY);
    writeFileSync(join(directory, 'd', 'notes.txt'), 'no policy');
    writeFileSync(join(directory, 'b.yaml'), POLICY.replace('np', 'single'));
    const source = openPolicyFiles([join(directory, 'd'), join(directory, 'b.yaml')], clock, silentLog);
    const names = async (): Promise<readonly string[]> =>
      (await source.state()).snapshots.flatMap(({ policies }) => policies.map(({ name }) => name));
    expect(await names()).toEqual(['np', 'single']);
    writeFileSync(join(directory, 'b.yaml'), POLICY.replace('np', 'changed'));
    utimesSync(join(directory, 'b.yaml'), 1, 1);
    expect(await names()).toEqual(['np', 'single']);
    now += 6000;
    expect(await names()).toEqual(['np', 'changed']);
    rmSync(join(directory, 'd', 'a.yaml'));
    now += 6000;
    expect(await names()).toEqual(['changed']);
  });

  it('that cannot be read are a problem in the answer, told once in the log', async () => {
    const told: string[] = [];
    const log: Log = { ...silentLog, warn: (_facts, message) => void told.push(message) };
    const source = openPolicyFiles([join(directory, 'none')], clock, log);
    expect(await source.state()).toEqual({
      snapshots: [],
      problems: [{ origin: join(directory, 'none'), reason: 'cannot be read' }],
    });
    now += 6000;
    await source.state();
    expect(told).toEqual(['policy objects that cannot be read']);
  });
});

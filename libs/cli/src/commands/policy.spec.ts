import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstSeen } from './first-seen.js';
import { policy } from './policy.js';

interface Question {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An API that answers everything with one answer and keeps the questions. */
let api: Server;
let url: string;
let asked: Question[];
let answer: object;
let printed: string;
let directory: string;

beforeEach(async () => {
  asked = [];
  printed = '';
  directory = mkdtempSync(join(tmpdir(), 'flowledger-policy-'));
  api = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      asked.push(JSON.parse(body) as Question);
      response.end(JSON.stringify({ data: answer }));
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  api.closeAllConnections();
  await new Promise((resolve) => api.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

const CHECKED = {
  policies: [{ kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'p' }],
  problems: [],
  storedPolicies: 3,
  staysAllowed: 10,
  wouldBreak: [],
  staysDenied: 2,
  wouldAllow: [],
  undetermined: 1,
  unexplained: 0,
};
const BREAKS = {
  direction: 'INGRESS',
  client: 'shop/cart',
  server: 'shop/redis',
  protocol: 'TCP',
  port: 6379,
  flows: 7,
  policies: [{ kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'p' }],
};

describe('flowledger policy', () => {
  it('recommend prints YAML that can be applied, with warnings and the flows behind each rule in comments', async () => {
    const check = {
      forwardedAllowed: 9,
      forwardedDenied: 0,
      forwardedUndetermined: 0,
      deniedStayDenied: 1,
      deniedBecomeAllowed: 0,
      deniedUndetermined: 0,
      deniedConflicting: 0,
      reasons: [],
    };
    const rules = [
      {
        policy: 'recommended-a',
        path: 'spec.ingress[0]',
        text: 'shop/b on TCP 80',
        flows: 9,
        samples: ['id1'],
      },
    ];
    answer = {
      policyRecommendation: { yaml: 'kind: X\n', warnings: ['short window'], rules, conflicts: [], check },
    };
    expect(await policy(['recommend', '-n', 'shop', '--last', '7d', '--url', url])).toBe(0);
    expect(asked[0]?.variables).toEqual({ cluster: null, namespace: 'shop', last: '7d' });
    const [last, ...comments] = printed.trimEnd().split('\n').toReversed();
    expect(last).toBe('kind: X');
    expect(comments.every((line) => line.startsWith('#'))).toBe(true);
    expect(printed).toContain('# WARNING: short window');
    expect(printed).toContain('# recommended-a spec.ingress[0]: shop/b on TCP 80 (9 flows, for example id1)');
  });

  it('recommend needs a namespace', async () => {
    await expect(policy(['recommend', '--url', url])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(policy(['guess'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('check sends the files together and fails when a connection would break', async () => {
    const files = ['a.yaml', 'b.yaml'].map((name) => join(directory, name));
    for (const file of files) writeFileSync(file, `# ${file}\nkind: NetworkPolicy\n`);
    answer = { policyCheck: CHECKED };
    expect(await policy(['check', ...files, '--url', url])).toBe(0);
    expect(String(asked[0]?.variables['documents']).split('---')).toHaveLength(2);
    answer = { policyCheck: { ...CHECKED, wouldBreak: [BREAKS] } };
    expect(await policy(['check', ...files, '--url', url])).not.toBe(0);
    expect(printed).toContain('7  shop/cart to shop/redis TCP 6379 ingress by CiliumNetworkPolicy shop/p');
  });

  it('check names the file that is no YAML without asking anybody', async () => {
    const file = join(directory, 'bad.yaml');
    writeFileSync(file, 'a: [1');
    expect(await policy(['check', file, '--url', url])).not.toBe(0);
    expect(asked).toEqual([]);
    expect(printed).toContain('bad.yaml');
    await expect(policy(['check', '--url', url])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(policy(['check', join(directory, 'none'), '--url', url])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('audit says what would break, and by what', async () => {
    const group = { ...BREAKS, lastSeen: 'T', basis: 'EVALUATED', reasons: [] };
    answer = { policyAudit: { total: 9, other: 2, groups: [group], coverage: { status: 'COMPLETE' } } };
    expect(await policy(['audit', '--url', url])).toBe(0);
    expect(printed).toContain(
      '9 flows of the last 24h would be denied if audit mode were enforced (coverage COMPLETE)',
    );
    expect(printed).toContain('by CiliumNetworkPolicy shop/p (evaluated)');
    expect(printed).toContain('2  others');
  });

  it('list says when nothing is stored', async () => {
    answer = { policies: { known: false, validFrom: null, origins: [], policies: [], problems: [] } };
    expect(await policy(['list', '--url', url])).toBe(0);
    expect(printed).toContain('policy.files');
  });

  it('prints the answer as JSON when asked to', async () => {
    answer = { policyCheck: CHECKED };
    const file = join(directory, 'a.yaml');
    writeFileSync(file, 'kind: NetworkPolicy\n');
    await policy(['check', file, '--json', '--url', url]);
    expect(JSON.parse(printed)).toEqual(CHECKED);
  });
});

describe('flowledger first-seen', () => {
  it('lists what is new, newest first, and what keeps it from being certain', async () => {
    const items = [
      { kind: 'DROP_REASON', firstSeen: 'T', text: 'packets are dropped', flows: 3, dropped: 3 },
    ];
    answer = {
      firstSeen: { items, truncated: 4, missing: [{ hint: 'short history' }], historyCoverage: null },
    };
    expect(await firstSeen(['--last', '1h', '-n', 'shop', '--url', url])).toBe(0);
    expect(asked[0]?.variables).toEqual({ last: '1h', history: null, namespace: 'shop', cluster: null });
    expect(printed).toContain('5 first seen in the last 1h (coverage of the history: none)');
    expect(printed).toContain('T  drop reason           packets are dropped (3 flows, 3 dropped)');
    expect(printed).toContain('not certain: short history');
  });
});

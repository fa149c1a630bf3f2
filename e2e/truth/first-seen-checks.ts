import { describe, expect, it } from 'vitest';
import { countedIn } from './drop-truth.js';
import { AFTER, BEGIN_NS, INCIDENT, INCIDENT_NS, type PolicyRun } from './policy-run.js';
import { timeNs, windowInput, type Span } from './scenarios.js';

const FIRST_SEEN = `query ($window: WindowInput, $history: Duration, $kinds: [FirstSeenKind!]!) {
  firstSeen(window: $window, history: $history, kinds: $kinds, limit: 1000) {
    items { kind clients server ports dropReason { name } firstSeen text } truncated historyBegins missing { hint } historyCoverage { status }
  } }`;

interface FirstSeenAnswer {
  readonly items: readonly {
    readonly kind: string;
    readonly clients: readonly string[];
    readonly server: string;
    readonly ports: readonly number[];
    readonly dropReason: { readonly name: string } | null;
    readonly firstSeen: string;
  }[];
  readonly truncated: number;
  readonly historyBegins: string | null;
  readonly missing: readonly { readonly hint: string }[];
}

async function firstSeen(run: PolicyRun, window: Span, kinds: readonly string[]): Promise<FirstSeenAnswer> {
  const variables = { window: windowInput(window), history: '1d', kinds };
  return (await run.ask<{ firstSeen: FirstSeenAnswer }>(FIRST_SEEN, variables)).firstSeen;
}

/** What `firstSeen` must say. */
export function checkFirstSeen(run: () => PolicyRun): void {
  describe('firstSeen', () => {
    it('finds the drop reason that came with the incident, and says how short the history is', async () => {
      const answer = await firstSeen(run(), AFTER, ['DROP_REASON']);
      const reasons = answer.items.map(
        ({ clients, server: to, dropReason }) => `${clients.join()} ${to} ${dropReason?.name}`,
      );
      expect(reasons).toContain('shop shop POLICY_DENY');
      expect(reasons).not.toContain('monitoring shop POLICY_DENIED');
      expect(answer.missing.map(({ hint }) => hint).join()).toContain('the history begins at');
      const calls = run().calls;
      const [first] = countedIn(calls, AFTER, 'drop')
        .filter(({ call }) => call.denied?.policy === 'payments-lockdown')
        .map(({ line }) => line.timeNs)
        .toSorted((a, b) => (a < b ? -1 : 1));
      const found = answer.items.find(
        ({ server: to, dropReason }) => to === 'shop' && dropReason?.name === 'POLICY_DENY',
      );
      expect(timeNs(found?.firstSeen ?? '')).toBe(first);
    });

    it('says the truth about edges: those in the window that are in no flow before it', async () => {
      const answer = await firstSeen(run(), AFTER, ['EDGE']);
      expect(answer.truncated).toBe(0);
      const edges = (span: Span): ReadonlySet<string> => {
        const counted = (
          ['connection', 'established', 'drop', 'denied-verdict', 'audit', 'l7-response'] as const
        ).flatMap((kind) => countedIn(run().calls, span, kind));
        return new Set(
          counted.map(
            ({ call }) =>
              `${call.client.namespace}/${call.client.workload} ${call.server.namespace}/${call.server.workload} ${call.serverPort}`,
          ),
        );
      };
      const before = edges({ fromNs: BEGIN_NS, toNs: INCIDENT_NS });
      const slash = (name: string): string => (name.includes('/') ? name : `/${name}`);
      for (const { clients, server: to, ports } of answer.items)
        expect(before).not.toContain(`${slash(clients.join())} ${slash(to)} ${ports[0] ?? 0}`);
      const found = new Set(
        answer.items.map(
          ({ clients, server: to, ports }) => `${slash(clients.join())} ${slash(to)} ${ports[0] ?? 0}`,
        ),
      );
      for (const edge of edges(AFTER)) if (!before.has(edge)) expect(found).toContain(edge);
    });

    it('finds every external destination in a window without history, by name where one is known', async () => {
      const answer = await firstSeen(run(), INCIDENT, ['EXTERNAL_DESTINATION']);
      expect(answer.historyBegins).toBeNull();
      expect(answer.missing[0]?.hint).toContain('everything looks new');
      const servers = new Set(answer.items.map(({ server: to }) => to));
      for (const name of ['api.bank.example.com', 'api.example.com', '169.254.169.254', '203.0.113.130'])
        expect(servers).toContain(name);
      expect(
        (await firstSeen(run(), AFTER, ['EXTERNAL_DESTINATION'])).items.map(({ server: to }) => to),
      ).not.toContain('api.bank.example.com');
    });
  });
}

import { configOrExit, EXIT } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { takeFlag, takeSwitch } from '../flags.js';
import { runningUrl } from '../group/running-url.js';

const FIRST_SEEN = `query FirstSeen($last: Duration!, $history: Duration, $namespace: String, $cluster: String) {
  firstSeen(window: { last: $last }, history: $history, namespace: $namespace, cluster: $cluster) {
    items { kind firstSeen text flows dropped } truncated missing { hint } historyCoverage { status } } }`;

interface Answer {
  readonly items: readonly {
    readonly kind: string;
    readonly firstSeen: string;
    readonly text: string;
    readonly flows: number;
    readonly dropped: number;
  }[];
  readonly truncated: number;
  readonly missing: readonly { readonly hint: string }[];
  readonly historyCoverage: { readonly status: string } | null;
}

/** `flowledger first-seen [--last 24h] [--history 30d] [--namespace NS] [--cluster C] [--url URL] [--json]`: what was never seen before. */
export async function firstSeen(argv: readonly string[]): Promise<number> {
  const last = takeFlag(argv, '--last');
  const history = takeFlag(last.rest, '--history');
  const short = takeFlag(history.rest, '-n');
  const namespace = takeFlag(short.rest, '--namespace');
  const cluster = takeFlag(namespace.rest, '--cluster');
  const url = takeFlag(cluster.rest, '--url');
  const json = takeSwitch(url.rest, '--json');
  const config = configOrExit(json.rest);
  const base = url.value?.replace(/\/+$/, '') ?? (await runningUrl(config.data.dir));
  const variables = {
    last: last.value ?? '24h',
    history: history.value ?? null,
    namespace: namespace.value ?? short.value ?? null,
    cluster: cluster.value ?? null,
  };
  const answer = (await graphql<{ firstSeen: Answer }>(base, config.api.token, FIRST_SEEN, variables))
    .firstSeen;
  process.stdout.write(json.on ? `${JSON.stringify(answer)}\n` : textOf(answer, variables.last));
  return EXIT.ok;
}

function textOf(answer: Answer, last: string): string {
  const { items, truncated, missing, historyCoverage } = answer;
  const lines = [
    items.length === 0
      ? `nothing in the last ${last} that was not seen before`
      : `${items.length + truncated} first seen in the last ${last} (coverage of the history: ${historyCoverage?.status ?? 'none'}):`,
  ];
  for (const { kind, firstSeen: at, text, flows, dropped } of items) {
    const refused = dropped === 0 ? '' : `, ${dropped} dropped`;
    lines.push(
      `  ${at}  ${kind.toLowerCase().replaceAll('_', ' ').padEnd(20)}  ${text} (${flows} flows${refused})`,
    );
  }
  if (truncated > 0) lines.push(`  and ${truncated} more`);
  for (const { hint } of missing) lines.push(`not certain: ${hint}`);
  return `${lines.join('\n')}\n`;
}

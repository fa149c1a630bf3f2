import { AppError, configOrExit, EXIT } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { takeFlag } from '../flags.js';
import { runningUrl } from '../group/running-url.js';

const LAST_DROP = `query LastDrop {
  flows(window: { last: "24h" }, filters: { allow: [{ verdict: [DROPPED], eventType: [{ type: 1 }] }] }, last: 1) { nodes { id } coverage { status } }
}`;

const EXPLAIN = `query Explain($id: ID!) {
  dropExplanation(flowId: $id) {
    conclusion kind remedy similarBefore
    flow { time nodeName summary trafficDirection dropReason { text } }
    policies { kind namespace name effect }
    evidence { level statement }
    draft { yaml before after othersKinds othersChecked othersStayDenied othersBecomeAllowed othersUndetermined notes reasons }
    precedingChanges { time kind object text }
    missing { path reason hint }
  }
}`;

interface LastDrop {
  readonly flows: {
    readonly nodes: readonly { readonly id: string }[];
    readonly coverage: { readonly status: string };
  };
}

interface DraftAnswer {
  readonly yaml: string;
  readonly before: string;
  readonly after: string;
  readonly othersKinds: number;
  readonly othersChecked: number;
  readonly othersStayDenied: number;
  readonly othersBecomeAllowed: number;
  readonly othersUndetermined: number;
  readonly notes: readonly string[];
  readonly reasons: readonly string[];
}

interface Explanation {
  readonly dropExplanation: {
    readonly conclusion: string;
    readonly kind: string;
    readonly remedy: string | null;
    readonly similarBefore: number;
    readonly flow: { readonly time: string; readonly nodeName: string; readonly summary: string };
    readonly policies: readonly {
      readonly kind: string;
      readonly namespace: string | null;
      readonly name: string;
      readonly effect: string;
    }[];
    readonly evidence: readonly { readonly level: string; readonly statement: string }[];
    readonly precedingChanges: readonly {
      readonly time: string;
      readonly kind: string;
      readonly object: string;
      readonly text: string;
    }[];
    readonly draft: DraftAnswer | null;
    readonly missing: readonly { readonly path: string; readonly hint: string }[];
  } | null;
}

/** `flowledger explain --last-drop | --id ID [--url URL] [--json]`: why a packet was refused, in one sentence with evidence. */
export async function explain(argv: readonly string[]): Promise<number> {
  const id = takeFlag(argv, '--id');
  const url = takeFlag(id.rest, '--url');
  const words = new Set(url.rest);
  const settings = url.rest.filter((word) => word !== '--last-drop' && word !== '--json');
  if (id.value === undefined && !words.has('--last-drop')) {
    throw new AppError('INVALID_ARGUMENT', 'say which drop: --last-drop or --id ID', { retry: false });
  }
  const config = configOrExit(settings);
  const base = url.value?.replace(/\/+$/, '') ?? (await runningUrl(config.data.dir));
  const flowId = id.value ?? (await lastDrop(base, config.api.token));
  const { dropExplanation } = await graphql<Explanation>(base, config.api.token, EXPLAIN, { id: flowId });
  if (dropExplanation === null)
    throw new AppError('NOT_FOUND', `no drop with id ${flowId}`, { retry: false });
  process.stdout.write(
    words.has('--json') ? `${JSON.stringify(dropExplanation)}\n` : describe(dropExplanation),
  );
  return EXIT.ok;
}

async function lastDrop(url: string, token: string): Promise<string> {
  const { flows } = await graphql<LastDrop>(url, token, LAST_DROP, {});
  const [drop] = flows.nodes;
  if (drop === undefined)
    throw new AppError('NOT_FOUND', `no drop in the last 24 h (coverage ${flows.coverage.status})`, {
      retry: false,
    });
  return drop.id;
}

function describe(answer: NonNullable<Explanation['dropExplanation']>): string {
  const lines = [answer.conclusion, ''];
  lines.push(`  ${answer.flow.time}  ${answer.flow.nodeName}  ${answer.flow.summary}`);
  for (const { level, statement } of answer.evidence)
    lines.push(`  ${level.toLowerCase().padEnd(7)} ${statement}`);
  for (const p of answer.policies)
    lines.push(
      `  policy  ${p.kind} ${p.namespace === null ? '' : `${p.namespace}/`}${p.name} (${p.effect.toLowerCase().replaceAll('_', ' ')})`,
    );
  for (const change of answer.precedingChanges)
    lines.push(`  before  ${change.time} ${change.kind} ${change.object} ${change.text}`.trimEnd());
  lines.push(`  similar drops in the 24 h before: ${answer.similarBefore}`);
  if (answer.remedy !== null) lines.push('', `What to do: ${answer.remedy}`);
  for (const { path, hint } of answer.missing) lines.push(`not known: ${path} (${hint})`);
  if (answer.draft !== null) lines.push('', ...draftLines(answer.draft));
  return `${lines.join('\n')}\n`;
}

/** The draft as it can be applied: what is known about it stands in comments. */
function draftLines(draft: DraftAnswer): readonly string[] {
  const { othersChecked, othersKinds, othersStayDenied, othersBecomeAllowed, othersUndetermined } = draft;
  const verdicts = `${draft.before.toLowerCase()} before, ${draft.after.toLowerCase()} with it`;
  const others = `${othersStayDenied} of ${othersChecked} other denied flows (${othersKinds} kinds) stay denied`;
  return [
    '# Draft that would allow exactly this, checked by the policy evaluator:',
    `# this flow: ${verdicts}`,
    `# ${others}, ${othersBecomeAllowed} would pass, ${othersUndetermined} undetermined`,
    ...draft.reasons.map((reason) => `# undetermined: ${reason}`),
    ...draft.notes.map((note) => `# note: ${note}`),
    draft.yaml.trimEnd(),
  ];
}

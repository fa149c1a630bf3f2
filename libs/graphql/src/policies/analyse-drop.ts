import { stringify } from 'yaml';
import {
  draftChecked,
  evaluate,
  explainSelection,
  policyTitle,
  type CheckedDraft,
  type DeniedFlows,
  type Drafted,
  type Evaluation,
  type FlowView,
  type PoliciesAsOf,
  type PolicyName,
  type SelectingPolicy,
} from '@flowledger/policy';
import {
  isDeniedCall,
  partiesOf,
  type Evidence,
  type FlowRecord,
  type Missing,
  type PolicyEdge,
  type PolicyRef,
} from '@flowledger/query';
import type { RequestScope } from '../request/request-scope.js';
import { changeEvidence, otherEnd, selectionEvidence, verdictEvidence } from './policy-evidence.js';
import { dropView, edgeViews, endName, type LabelsOf } from './flow-views.js';
import { changesOfState, judgedEdges, labelsFor, storedPolicies } from './stored-policies.js';

const DAY_NS = 86_400_000_000_000n;
/** Kinds of other denied connections that a draft is checked against. */
const MAX_OTHERS = 1000;
const POLICY_DENY = 181;
const POLICY_DENIED = 133;
/** A draft with what the evaluator found out about it. */
export interface DraftAnswer {
  readonly yaml: string;
  readonly replaces: readonly PolicyName[];
  readonly notes: readonly string[];
  readonly before: Evaluation['verdict'];
  readonly after: Evaluation['verdict'];
  readonly othersKinds: number;
  readonly othersChecked: number;
  readonly othersStayDenied: number;
  readonly othersBecomeAllowed: number;
  readonly othersUndetermined: number;
  readonly reasons: readonly string[];
}

/** What stored policies say about a drop. */
export interface DropAnalysis {
  /** The policies that the evaluator blames, where the datapath named none. */
  readonly policies: readonly PolicyRef[];
  readonly selecting: readonly SelectingPolicy[];
  readonly evidence: readonly Evidence[];
  readonly draft: DraftAnswer | null;
  readonly policiesAsOfNs: bigint | null;
  readonly missing: readonly Missing[];
}

function nothing(...hints: readonly (readonly [string, string])[]): DropAnalysis {
  const missing = hints.map(([path, hint]): Missing => ({ path, reason: 'NOT_MEASURED_BY_SOURCE', hint }));
  return { policies: [], selecting: [], evidence: [], draft: null, policiesAsOfNs: null, missing };
}

function refs(
  names: readonly PolicyName[],
  effect: PolicyRef['effect'],
  { direction }: FlowView,
): readonly PolicyRef[] {
  const unique = new Map(names.map((name) => [policyTitle(name), name]));
  return [...unique.values()].map((name) => ({ ...name, revision: '0', effect, direction }));
}

function yamlOf({ draft }: CheckedDraft): string {
  return draft.documents
    .map((document) => stringify(document, { aliasDuplicateObjects: false }))
    .join('---\n');
}

function draftAnswer(checked: CheckedDraft, stored: PoliciesAsOf): DraftAnswer {
  const { draft, check } = checked;
  const { others } = check;
  const answer = { yaml: yamlOf(checked), replaces: draft.replaces, notes: draft.notes };
  if (!stored.known)
    return {
      ...answer,
      before: 'UNDETERMINED',
      after: 'UNDETERMINED',
      othersKinds: 0,
      othersChecked: 0,
      othersStayDenied: 0,
      othersBecomeAllowed: 0,
      othersUndetermined: 0,
      reasons: ['no policies are stored (setting policy.files): the draft was checked against nothing'],
    };
  return {
    ...answer,
    before: check.before,
    after: check.after,
    othersKinds: others.kinds,
    othersChecked: others.checked,
    othersStayDenied: others.stayDenied,
    othersBecomeAllowed: others.becomeAllowed,
    othersUndetermined: others.undetermined,
    reasons: check.reasons,
  };
}

/** Denied connections of the day before that are not this one. */
async function otherDenied(scope: RequestScope, drop: FlowRecord): Promise<readonly DeniedFlows[]> {
  const at = drop.position.bucketNs;
  const window = { fromNs: at > DAY_NS ? at - DAY_NS : 0n, toNs: at + 1n };
  const request = { window, outcome: 'DENIED', cluster: drop.cluster, limit: MAX_OTHERS } as const;
  const { edges, labelsOf } = await judgedEdges(scope, request);
  return edges
    .filter((edge) => !isSameEdge(edge, drop))
    .flatMap((edge) => {
      const views = edgeViews(edge, labelsOf);
      // An edge of several addresses says only how many flows it has in all; the first stands for the rest.
      return views.map((view, i) => ({ view, flows: i === 0 ? Number(edge.flows) - views.length + 1 : 1 }));
    })
    .slice(0, MAX_OTHERS);
}

function isSameEdge(edge: PolicyEdge, drop: FlowRecord): boolean {
  const { client, server } = partiesOf(drop);
  const same = (a: { namespace: string; workload: string }, b: typeof a): boolean =>
    a.namespace === b.namespace && a.workload === b.workload;
  const direction = edge.direction === (drop.trafficDirection === 1 ? 'INGRESS' : 'EGRESS');
  const port = edge.port === (drop.serverPort || drop.destinationPort) && edge.protocol === drop.l4Protocol;
  return direction && port && same(edge.client, client) && same(edge.server, server);
}

async function drafted(
  scope: RequestScope,
  drop: FlowRecord,
  view: FlowView,
  stored: PoliciesAsOf,
): Promise<Drafted<CheckedDraft>> {
  if (view.l7)
    return { ok: false, reason: 'L7 rules are not drafted: compare the call with the rules of the port' };
  const explicit = drop.dropReason === POLICY_DENY;
  const others = stored.known ? await otherDenied(scope, drop) : [];
  const { client, server } = partiesOf(drop);
  const [clientName, serverName] = [endName(client), endName(server)].map(
    (name) => name.split('/').at(-1) ?? '',
  );
  const names =
    view.direction === 'INGRESS'
      ? { subject: serverName ?? '', peer: clientName ?? '' }
      : { subject: clientName ?? '', peer: serverName ?? '' };
  return draftChecked(stored.policies, view, names, explicit, others);
}

function isByPolicy(drop: FlowRecord): boolean {
  return drop.dropReason === POLICY_DENIED || drop.dropReason === POLICY_DENY || isDeniedCall(drop);
}

/** Judges a drop by the stored policies of its time, and drafts what would allow it. Null when no policy refused it. */
export async function analyseDrop(scope: RequestScope, drop: FlowRecord): Promise<DropAnalysis | null> {
  if (!isByPolicy(drop)) return null;
  const { client, server } = partiesOf(drop);
  const labelsOf: LabelsOf = await labelsFor(scope, [client.labelSet, server.labelSet]);
  const view = dropView(drop, labelsOf);
  if (view === null)
    return nothing(['draftPolicy', 'the record does not say at which end the packet was dropped']);
  const stored = await storedPolicies(scope, drop.cluster, drop.position.bucketNs);
  const draft = await drafted(scope, drop, view, stored);
  const missing: Missing[] = [];
  const miss = (path: string, hint: string): void => {
    missing.push({ path, reason: 'NOT_MEASURED_BY_SOURCE', hint });
  };
  if (!draft.ok) miss('draftPolicy', draft.reason);
  const answer = draft.ok ? draftAnswer(draft.value, stored) : null;
  if (!stored.known) {
    miss(
      'selectingPolicies',
      'no policies are stored for this cluster: name files or directories in policy.files',
    );
    return { ...nothing(), draft: answer, missing };
  }
  for (const doubt of stored.doubts) miss('selectingPolicies', doubt);
  const found = judged(stored, view);
  const changes = await changesOfState(scope, drop.cluster, drop.position.bucketNs);
  const evidence = [...found.evidence, ...changeEvidence(changes, found, drop)];
  return { ...found, evidence, draft: answer, policiesAsOfNs: stored.validFromNs, missing };
}

function judged(
  stored: PoliciesAsOf,
  view: FlowView,
): Pick<DropAnalysis, 'policies' | 'selecting' | 'evidence'> {
  const evaluation = evaluate(stored.policies, view);
  const selecting = explainSelection(stored.policies, view);
  const blamed = evaluation.verdict === 'DENIED' ? evaluation.by.map(({ policy }) => policy) : [];
  const explicit = evaluation.verdict === 'DENIED' && evaluation.how === 'EXPLICIT';
  return {
    policies: refs(blamed, explicit ? 'DENIED' : 'SELECTS_WITHOUT_ALLOWING', view),
    selecting,
    evidence: [
      verdictEvidence(evaluation, stored, view),
      ...(explicit ? [] : selecting.map(selectionEvidence)),
      ...otherEnd(stored, view),
    ],
  };
}

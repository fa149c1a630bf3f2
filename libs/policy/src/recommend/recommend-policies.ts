import { matchLabels, type Precision } from '../draft/peer-source.js';
import { objectName } from '../draft/allow-rule.js';
import { isPod, type EndpointView } from '../endpoint-view.js';
import { evaluate, type Evaluation } from '../evaluate/evaluate.js';
import type { JsonObject } from '../json.js';
import { parsePolicies } from '../parse/parse-policies.js';
import type { Direction, Policy } from '../policy.js';
import { commonLabels } from './common-labels.js';
import { edgeKey, type ObservedEdge } from './observed-edge.js';
import { recommendRules, type KnownPods, type RecommendedRule } from './recommend-rules.js';

/** A rule of a recommended policy with what supports it. */
export interface SupportedRule {
  /** Name of the policy, and the rule's place in it. */
  readonly policy: string;
  readonly path: string;
  readonly direction: Direction;
  readonly workload: string;
  readonly text: string;
  readonly flows: number;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
  readonly samples: readonly string[];
}

/** What the evaluator says about the recommended policies alone; numbers of flows. */
export interface RecommendationCheck {
  readonly forwarded: { readonly allowed: number; readonly denied: number; readonly undetermined: number };
  readonly denied: {
    readonly stayDenied: number;
    readonly becomeAllowed: number;
    readonly undetermined: number;
  };
  /** Denied flows of connections that also passed in the window: both cannot be kept. */
  readonly conflicting: number;
  readonly reasons: readonly string[];
}

/** Least-privilege policies for a namespace. */
export interface Recommendation {
  readonly documents: readonly JsonObject[];
  readonly rules: readonly SupportedRule[];
  readonly warnings: readonly string[];
  /** Connections that both passed and were denied in the window; a rule allows them. */
  readonly conflicts: readonly ObservedEdge[];
  readonly check: RecommendationCheck;
}

/** What was observed in a window about the pods of one namespace. */
export interface ObservedNamespace {
  readonly namespace: string;
  readonly forwarded: readonly ObservedEdge[];
  readonly denied: readonly ObservedEdge[];
  readonly directions: readonly Direction[];
}

const MAX_SAMPLES = 3;
const MAX_REASONS = 5;

interface NamedPod {
  readonly namespace: string;
  readonly workload: string;
  readonly view: EndpointView;
}

function podsOf(edges: readonly ObservedEdge[]): readonly NamedPod[] {
  return edges.flatMap((edge) =>
    edge.views.flatMap(({ subject, peer }) => [
      { namespace: subject.namespace, workload: edge.workload, view: subject },
      ...(isPod(peer) ? [{ namespace: edge.peerNamespace, workload: edge.peerWorkload, view: peer }] : []),
    ]),
  );
}

function knownPods(edges: readonly ObservedEdge[]): KnownPods {
  const unique = new Map(
    podsOf(edges).map((pod) => [JSON.stringify([pod.namespace, pod.workload, pod.view.labels]), pod]),
  );
  const pods = [...unique.values()];
  const views = (wanted: (pod: NamedPod) => boolean): readonly EndpointView[] =>
    pods.filter(wanted).map(({ view }) => view);
  return {
    ofWorkload: (namespace, workload) =>
      views((pod) => pod.namespace === namespace && pod.workload === workload),
    othersIn: (namespace, workload) =>
      views((pod) => pod.namespace === namespace && pod.workload !== workload),
  };
}

function supported({
  text,
  edges,
}: RecommendedRule): Pick<SupportedRule, 'text' | 'flows' | 'firstNs' | 'lastNs' | 'samples'> {
  const times = edges.map((edge) => edge.firstNs);
  const ends = edges.map((edge) => edge.lastNs);
  return {
    text,
    flows: edges.reduce((sum, edge) => sum + edge.flows, 0),
    firstNs: times.reduce((a, b) => (a < b ? a : b)),
    lastNs: ends.reduce((a, b) => (a > b ? a : b)),
    samples: edges.flatMap((edge) => edge.samples).slice(0, MAX_SAMPLES),
  };
}

interface WorkloadPolicy {
  readonly document: JsonObject | null;
  readonly rules: readonly SupportedRule[];
  readonly warnings: readonly string[];
}

function workloadPolicy(
  workload: string,
  observed: ObservedNamespace,
  known: KnownPods,
  precision: Precision,
): WorkloadPolicy {
  const { namespace, directions } = observed;
  const labels = commonLabels(
    known.ofWorkload(namespace, workload),
    known.othersIn(namespace, workload),
    precision,
  );
  if (labels === undefined)
    return {
      document: null,
      rules: [],
      warnings: [`no policy for ${namespace}/${workload}: no labels tell its pods apart`],
    };
  const name = objectName('recommended', workload);
  const warnings: string[] = [];
  const rules: SupportedRule[] = [];
  const spec: Record<string, JsonObject | readonly JsonObject[]> = {
    endpointSelector: { matchLabels: matchLabels(labels) },
  };
  for (const direction of directions) {
    const key = direction === 'INGRESS' ? 'ingress' : 'egress';
    const edges = observed.forwarded.filter(
      (edge) => edge.workload === workload && edge.direction === direction,
    );
    const made = recommendRules(edges, known, { namespace, direction, precision });
    warnings.push(...made.warnings.map((warning) => `${workload} ${key}: ${warning}`));
    // An empty rule closes the direction: nothing was seen to need it.
    spec[key] = made.rules.length === 0 ? [{}] : made.rules.map(({ rule }) => rule);
    for (const [i, rule] of made.rules.entries())
      rules.push({ policy: name, path: `spec.${key}[${i}]`, direction, workload, ...supported(rule) });
  }
  const document = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name, namespace },
    spec,
  };
  return { document, rules, warnings };
}

function checked(
  documents: readonly JsonObject[],
  observed: ObservedNamespace,
  conflicts: ReadonlySet<string>,
): RecommendationCheck {
  const policies: readonly Policy[] = parsePolicies(documents).policies;
  const reasons = new Set<string>();
  const count = (
    edges: readonly ObservedEdge[],
    worstFirst: readonly Evaluation['verdict'][],
  ): { ALLOWED: number; DENIED: number; UNDETERMINED: number } => {
    const counts = { ALLOWED: 0, DENIED: 0, UNDETERMINED: 0 };
    for (const edge of edges) {
      const verdicts = edge.views.map((view) => evaluate(policies, view));
      for (const one of verdicts)
        if (one.verdict === 'UNDETERMINED') for (const reason of one.reasons) reasons.add(reason);
      // One address that is judged otherwise decides for the edge: its flows are not counted by address.
      const worst = worstFirst.find((verdict) => verdicts.some((one) => one.verdict === verdict));
      counts[worst ?? 'UNDETERMINED'] += edge.flows;
    }
    return counts;
  };
  const within = observed.directions;
  const judged = (edges: readonly ObservedEdge[]): readonly ObservedEdge[] =>
    edges.filter((edge) => within.includes(edge.direction));
  const forwarded = count(judged(observed.forwarded), ['DENIED', 'UNDETERMINED', 'ALLOWED']);
  const others = judged(observed.denied).filter((edge) => !conflicts.has(edgeKey(edge)));
  const denied = count(others, ['ALLOWED', 'UNDETERMINED', 'DENIED']);
  const conflicting = judged(observed.denied).filter((edge) => conflicts.has(edgeKey(edge)));
  return {
    forwarded: { allowed: forwarded.ALLOWED, denied: forwarded.DENIED, undetermined: forwarded.UNDETERMINED },
    denied: { stayDenied: denied.DENIED, becomeAllowed: denied.ALLOWED, undetermined: denied.UNDETERMINED },
    conflicting: conflicting.reduce((sum, edge) => sum + edge.flows, 0),
    reasons: [...reasons].slice(0, MAX_REASONS),
  };
}

function recommended(observed: ObservedNamespace, precision: Precision): Recommendation {
  const known = knownPods([...observed.forwarded, ...observed.denied]);
  const workloads = [...new Set(observed.forwarded.map((edge) => edge.workload))].toSorted();
  const made = workloads.map((workload) => workloadPolicy(workload, observed, known, precision));
  const documents = made.map(({ document }) => document).filter((document) => document !== null);
  const passed = new Set(observed.forwarded.map(edgeKey));
  const conflicts = observed.denied.filter((edge) => passed.has(edgeKey(edge)));
  return {
    documents,
    rules: made.flatMap(({ rules }) => rules),
    warnings: made.flatMap(({ warnings }) => warnings),
    conflicts,
    check: checked(documents, observed, new Set(conflicts.map(edgeKey))),
  };
}

/**
 * Recommends policies that allow what was observed to pass at the pods of a namespace, and no more: one policy a workload,
 * one rule a peer. A direction in which nothing was observed is closed. The evaluator checks the result: everything that
 * passed passes, what was denied stays denied but for connections that did both. Where short selectors would let denied
 * flows through, all lasting labels are named instead.
 */
export function recommendPolicies(observed: ObservedNamespace): Recommendation {
  const short = recommended(observed, 'app');
  if (short.check.denied.becomeAllowed === 0) return short;
  const long = recommended(observed, 'all');
  return long.check.denied.becomeAllowed < short.check.denied.becomeAllowed ? long : short;
}

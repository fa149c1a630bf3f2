interface Name {
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
}

interface Problem {
  readonly policy: string;
  readonly path: string;
  readonly reason: string;
}

/** Answer of `policies`. */
export interface Inventory {
  readonly known: boolean;
  readonly validFrom: string | null;
  readonly origins: readonly string[];
  readonly policies: readonly {
    readonly policy: Name;
    readonly rules: number;
    readonly doubt: string | null;
  }[];
  readonly problems: readonly Problem[];
}

/** Answer of `policyAudit`. */
export interface Audit {
  readonly total: number;
  readonly other: number;
  readonly groups: readonly {
    readonly direction: string;
    readonly client: string;
    readonly server: string;
    readonly protocol: string;
    readonly port: number | null;
    readonly flows: number;
    readonly lastSeen: string;
    readonly policies: readonly Name[];
    readonly basis: string;
    readonly reasons: readonly string[];
  }[];
  readonly coverage: { readonly status: string };
}

/** Answer of `policyRecommendation`. */
export interface Recommendation {
  readonly yaml: string;
  readonly warnings: readonly string[];
  readonly rules: readonly {
    readonly policy: string;
    readonly path: string;
    readonly text: string;
    readonly flows: number;
    readonly samples: readonly string[];
  }[];
  readonly conflicts: readonly {
    readonly workload: string;
    readonly peer: string;
    readonly protocol: string;
    readonly port: number | null;
    readonly denied: number;
  }[];
  readonly check: {
    readonly forwardedAllowed: number;
    readonly forwardedDenied: number;
    readonly forwardedUndetermined: number;
    readonly deniedStayDenied: number;
    readonly deniedBecomeAllowed: number;
    readonly deniedUndetermined: number;
    readonly deniedConflicting: number;
    readonly reasons: readonly string[];
  };
}

interface Change {
  readonly direction: string;
  readonly client: string;
  readonly server: string;
  readonly protocol: string;
  readonly port: number | null;
  readonly flows: number;
  readonly policies: readonly Name[];
}

/** Answer of `policyCheck`. */
export interface Check {
  readonly policies: readonly Name[];
  readonly problems: readonly Problem[];
  readonly storedPolicies: number;
  readonly staysAllowed: number;
  readonly wouldBreak: readonly Change[];
  readonly staysDenied: number;
  readonly wouldAllow: readonly Change[];
  readonly undetermined: number;
  readonly unexplained: number;
}

const NAME = '{ kind namespace name }';
const CHANGE = `{ direction client server protocol port flows policies ${NAME} }`;

/** Questions of the commands; their windows end now. */
export const LIST = `query Policies($cluster: String, $namespace: String) { policies(cluster: $cluster, namespace: $namespace) {
  known validFrom origins policies { policy ${NAME} rules doubt } problems { policy path reason } } }`;
export const AUDIT = `query Audit($cluster: String, $namespace: String, $last: Duration!) {
  policyAudit(cluster: $cluster, namespace: $namespace, window: { last: $last }) { total other
    groups { direction client server protocol port flows lastSeen policies ${NAME} basis reasons } coverage { status } } }`;
export const RECOMMEND = `query Recommend($cluster: String, $namespace: String!, $last: Duration!) {
  policyRecommendation(cluster: $cluster, namespace: $namespace, window: { last: $last }) {
    yaml warnings rules { policy path text flows samples } conflicts { workload peer protocol port denied }
    check { forwardedAllowed forwardedDenied forwardedUndetermined deniedStayDenied deniedBecomeAllowed deniedUndetermined deniedConflicting reasons } } }`;
export const CHECK = `query Check($documents: String!, $cluster: String, $namespace: String, $last: Duration!) {
  policyCheck(documents: $documents, cluster: $cluster, namespace: $namespace, window: { last: $last }) {
    policies ${NAME} problems { policy path reason } storedPolicies staysAllowed staysDenied undetermined unexplained
    wouldBreak ${CHANGE} wouldAllow ${CHANGE} } }`;

function title({ kind, namespace, name }: Name): string {
  return `${kind} ${namespace === null ? '' : `${namespace}/`}${name}`;
}

function connection(one: Omit<Change, 'flows' | 'policies' | 'direction'>): string {
  return `${one.client} to ${one.server} ${one.protocol}${one.port === null ? '' : ` ${one.port}`}`;
}

function problemLines(problems: readonly Problem[]): readonly string[] {
  return problems.map(
    ({ policy, path, reason }) => `not understood: ${[policy, path].join(' ').trim()}: ${reason}`,
  );
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}

/** The stored policies for people. */
export function listText(answer: Inventory): string {
  if (!answer.known)
    return lines([
      'no policies are stored: name files or directories in policy.files',
      ...problemLines(answer.problems),
    ]);
  const since = answer.validFrom === null ? '' : `, valid from ${answer.validFrom}`;
  return lines([
    `${answer.policies.length} policies from ${answer.origins.join(', ')}${since}`,
    ...answer.policies.map(
      ({ policy, rules, doubt }) =>
        `  ${title(policy)}${rules === 1 ? '' : ` (${rules} rules)`}${doubt === null ? '' : `  in doubt: ${doubt}`}`,
    ),
    ...problemLines(answer.problems),
  ]);
}

/** The audit report for people. */
export function auditText(answer: Audit, last: string): string {
  if (answer.total === 0)
    return lines([`nothing was audited in the last ${last} (coverage ${answer.coverage.status})`]);
  return lines([
    `${answer.total} flows of the last ${last} would be denied if audit mode were enforced (coverage ${answer.coverage.status}):`,
    ...answer.groups.flatMap((group) => [
      `  ${String(group.flows).padStart(8)}  ${connection(group)} ${group.direction.toLowerCase()}, last ${group.lastSeen}`,
      group.policies.length === 0
        ? `            by a policy that is not known: ${group.reasons.join('; ')}`
        : `            by ${group.policies.map(title).join(', ')} (${group.basis.toLowerCase()})`,
    ]),
    ...(answer.other === 0 ? [] : [`  ${String(answer.other).padStart(8)}  others`]),
  ]);
}

/** The recommended policies as YAML that can be applied; what is known about them stands in comments. */
export function recommendText(answer: Recommendation, namespace: string, last: string): string {
  const { check } = answer;
  return lines([
    `# Recommended policies for namespace ${namespace}, from the last ${last}.`,
    ...answer.warnings.map((warning) => `# WARNING: ${warning}`),
    ...answer.conflicts.map(
      ({ workload, peer, protocol, port, denied }) =>
        `# CONFLICT: ${workload} with ${peer} ${protocol} ${port ?? ''}: ${denied} flows were denied, others passed; a rule allows it`,
    ),
    `# Checked: ${check.forwardedAllowed} flows that passed are allowed, ${check.forwardedDenied} denied, ${check.forwardedUndetermined} undetermined;`,
    `#   ${check.deniedStayDenied} denied flows stay denied, ${check.deniedBecomeAllowed} would pass, ${check.deniedUndetermined} undetermined, ${check.deniedConflicting} conflict.`,
    ...check.reasons.map((reason) => `# undetermined: ${reason}`),
    ...answer.rules.map(
      ({ policy, path, text, flows, samples }) =>
        `# ${policy} ${path}: ${text} (${flows} flows${samples[0] === undefined ? '' : `, for example ${samples[0]}`})`,
    ),
    answer.yaml.trimEnd(),
  ]);
}

function changeLines(what: string, changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return [];
  return [
    `${what}:`,
    ...changes.map((one) => {
      const by = one.policies.length === 0 ? '' : ` by ${one.policies.map(title).join(', ')}`;
      return `  ${String(one.flows).padStart(8)}  ${connection(one)} ${one.direction.toLowerCase()}${by}`;
    }),
  ];
}

/** What documents would change, for people. */
export function checkText(answer: Check, last: string): string {
  return lines([
    `${answer.policies.map(title).join(', ') || 'no policies'}; ${answer.storedPolicies} stored policies beside`,
    ...problemLines(answer.problems),
    ...changeLines(`would break connections of the last ${last}`, answer.wouldBreak),
    ...changeLines('would let pass what was denied', answer.wouldAllow),
    `unchanged: ${answer.staysAllowed} flows that passed, ${answer.staysDenied} that were denied; cannot be judged: ${answer.undetermined}`,
    ...(answer.unexplained === 0
      ? []
      : [
          `${answer.unexplained} flows are judged otherwise by the stored policies alone: audit mode, or they are not what is in force`,
        ]),
  ]);
}

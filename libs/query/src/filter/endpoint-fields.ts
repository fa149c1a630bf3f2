import { addressIn } from './address-tests.js';
import type { FilterSide } from './filter-columns.js';
import type { FieldParser, FilterTerms } from './filter-scope.js';
import type { WorkloadValue } from './flow-filter.js';
import { all, any, refused } from './flow-test.js';
import type { FlowTest, ParsedField } from './flow-test.js';
import { leaf, numberIn, someFits, textIn, textPresent, textStarts } from './leaf-tests.js';
import { parseNameGlob } from './name-glob.js';
import { OWN, side as sideSubjects } from './subjects.js';
import type { Subject } from './subjects.js';
import { wasEndpoint } from './was-endpoint.js';

/** Addresses of one side, compared as addresses. */
export function addresses(side: FilterSide): FieldParser<string> {
  const { ip } = sideSubjects(side);
  return (values) => any(values.map((value) => addressIn(ip, value)));
}

/** Source address after SNAT; a flow without one never matches. */
export const sourceIpXlated: FieldParser<string> = (values) =>
  all([
    leaf(
      OWN.sourceIpXlated,
      (column) => `${column} != toIPv6('::')`,
      (text) => text !== null,
    ),
    any(values.map((value) => addressIn(OWN.sourceIpXlated, value))),
  ]);

interface NamespacedName {
  readonly namespace: string;
  readonly prefix: string;
}

function parseNamespacedName(value: string): NamespacedName {
  const [first = '', second] = value.split('/');
  return second === undefined
    ? { namespace: 'default', prefix: first }
    : { namespace: first, prefix: second };
}

function named(
  { namespace, prefix }: NamespacedName,
  subjects: { readonly name: Subject<string>; readonly namespace: Subject<string> },
): ParsedField {
  if (namespace === '' && prefix === '')
    return any([textPresent(subjects.name), textPresent(subjects.namespace)]);
  const inNamespace = namespace === '' ? [] : [textIn(subjects.namespace, [namespace])];
  return all([...inNamespace, ...(prefix === '' ? [] : [textStarts(subjects.name, prefix)])]);
}

const NAMED_HINT = '`name`, `namespace/name`, `namespace/` or `/name`';

/** Pods by namespace and prefix of the name; a bare name means the namespace `default`. */
export function pods(side: FilterSide): FieldParser<string> {
  const { pod, namespace } = sideSubjects(side);
  return (values) =>
    any(
      values.map((value) =>
        value === '' ? refused(NAMED_HINT) : named(parseNamespacedName(value), { name: pod, namespace }),
      ),
    );
}

/** Services, by the rules of pods; with `matchInferred` also what the endpoint history knows. */
export function services(side: FilterSide): FieldParser<string> {
  const { serviceName: name, serviceNamespace: namespace } = sideSubjects(side);
  return (values, terms) =>
    any(
      values.flatMap((value): readonly ParsedField[] => {
        if (value === '') return [refused(NAMED_HINT)];
        const wanted = parseNamespacedName(value);
        const sent = named(wanted, { name, namespace });
        if (!terms.inferred) return [sent];
        const facts = { servicePrefix: wanted.prefix, serviceNamespace: wanted.namespace };
        return [sent, wasEndpoint(side, facts, terms)];
      }),
    );
}

interface WantedWorkload {
  readonly name: string;
  readonly kind: string;
}

function sentWorkload(side: FilterSide, { name, kind }: WantedWorkload): FlowTest {
  const subject = sideSubjects(side).workloads;
  if (name === '' && kind === '')
    return leaf(
      subject,
      (column) => `notEmpty(${column})`,
      (texts) => texts.length > 0,
    );
  if (name === '')
    return leaf(
      subject,
      (column, { binder }) =>
        `arrayExists(w -> startsWith(w, ${binder.bind('String', `${kind}/`)}), ${column})`,
      (texts) => texts.some((text) => text.startsWith(`${kind}/`)),
    );
  if (kind === '')
    return leaf(
      subject,
      (column, { binder }) =>
        `arrayExists(w -> substring(w, position(w, '/') + 1) = ${binder.bind('String', name)}, ${column})`,
      (texts) => texts.some((text) => text.slice(text.indexOf('/') + 1) === name),
    );
  return leaf(
    subject,
    (column, { binder }) => `has(${column}, ${binder.bind('String', `${kind}/${name}`)})`,
    (texts) => texts.includes(`${kind}/${name}`),
  );
}

function canonicalWorkload(side: FilterSide, { name, kind }: WantedWorkload): ParsedField {
  const { workload, workloadKind } = sideSubjects(side);
  const parts: FlowTest[] = [];
  if (name !== '') parts.push(textIn(workload, [name]));
  else if (kind === '') parts.push(textPresent(workload));
  if (kind !== '') parts.push(textIn(workloadKind, [kind]));
  return all(parts);
}

function workload(side: FilterSide, value: WorkloadValue, terms: FilterTerms): ParsedField {
  const wanted = { name: value.name ?? '', kind: value.kind ?? '' };
  const sent = sentWorkload(side, wanted);
  const canonical = canonicalWorkload(side, wanted);
  if (terms.calls) return wanted.kind === '' ? canonical : any([canonical, sent]);
  if (!terms.inferred) return sent;
  return any([
    sent,
    canonical,
    wasEndpoint(side, { workload: wanted.name, workloadKind: wanted.kind }, terms),
  ]);
}

/**
 * Workloads. For records: as sent, exactly; with `matchInferred` also the canonical workload and the endpoint history.
 * For calls: the canonical workload, since that is what such answers group by.
 */
export function workloads(side: FilterSide): FieldParser<WorkloadValue> {
  return (values, terms) => any(values.map((value) => workload(side, value, terms)));
}

/** DNS names of the address, by glob. */
export function fqdns(side: FilterSide): FieldParser<string> {
  const { names } = sideSubjects(side);
  return (values) =>
    any(
      values.map((value) => {
        const glob = parseNameGlob(value);
        return glob === undefined
          ? refused('a DNS name; letters, digits and - _ . *')
          : someFits(names, glob);
      }),
    );
}

/** Numeric identities. */
export function identities(side: FilterSide): FieldParser<number> {
  const { identity } = sideSubjects(side);
  return (values) =>
    values.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32)
      ? numberIn(identity, values)
      : refused('a number from 0 to 4294967295');
}

/** Cluster names, exactly. */
export function clusterNames(side: FilterSide): FieldParser<string> {
  const { cluster } = sideSubjects(side);
  return (values) => (values.includes('') ? refused('the name of a cluster') : textIn(cluster, values));
}

import { NAMESPACE_LABELS, POD_NAMESPACE, type EndpointView } from './endpoint-view.js';
import { all, certain, maybe, type Match } from './match.js';

/** One condition on labels. */
export interface Requirement {
  /** Label source (`k8s`, `reserved`, …); `any` = whatever the source. */
  readonly source: string;
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

/** Conditions that all must hold; an empty list selects every endpoint. */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

const METADATA_NAME = `${NAMESPACE_LABELS}kubernetes.io/metadata.name`;

function valuesOf(endpoint: EndpointView, { source, key }: Requirement): readonly string[] {
  const own = endpoint.labels
    .filter((label) => label.key === key && (source === 'any' || label.source === source))
    .map((label) => label.value);
  const implied = (key === POD_NAMESPACE || key === METADATA_NAME) && endpoint.namespace !== '';
  return own.length === 0 && implied && source !== 'reserved' ? [endpoint.namespace] : own;
}

/** Why the absence of a label proves nothing; undefined when it does. */
function unseen(endpoint: EndpointView, { key }: Requirement): string | undefined {
  if (!endpoint.known) return 'the flow does not show the labels of this endpoint';
  const ofNamespace = key.startsWith(NAMESPACE_LABELS);
  if (!ofNamespace || endpoint.namespace === '') return undefined;
  return endpoint.labels.some((label) => label.key.startsWith(NAMESPACE_LABELS))
    ? undefined
    : 'the flow does not show the labels of the namespace';
}

function meets(endpoint: EndpointView, requirement: Requirement): Match {
  const { operator } = requirement;
  const values = valuesOf(endpoint, requirement);
  if (values.length === 0) {
    const reason = unseen(endpoint, requirement);
    if (reason !== undefined) return maybe(reason);
    return certain(operator === 'NotIn' || operator === 'DoesNotExist');
  }
  if (operator === 'Exists') return certain(true);
  if (operator === 'DoesNotExist') return certain(false);
  const within = values.some((value) => requirement.values.includes(value));
  return certain(operator === 'In' ? within : !within);
}

/** Whether a selector selects an endpoint; MAYBE when the flow does not show the labels that decide. */
export function selects(selector: Selector, endpoint: EndpointView): Match {
  return all(selector.requirements.map((requirement) => meets(endpoint, requirement)));
}

function requirementText({ source, key, operator, values }: Requirement): string {
  const named = source === 'any' || source === 'k8s' ? key : `${source}:${key}`;
  if (operator === 'Exists') return source === 'reserved' ? named : `any ${named}`;
  if (operator === 'DoesNotExist') return `no ${named}`;
  const list = values.join('|');
  return operator === 'In' ? (list === '' ? named : `${named}=${list}`) : `${named} not ${list}`;
}

/** A selector in words: `app=web in namespace shop`, `every pod in namespace shop`. */
export function selectorText({ requirements }: Selector): string {
  const place = requirements.find(
    ({ key, operator }) => operator === 'In' && (key === POD_NAMESPACE || key === METADATA_NAME),
  );
  const rest = requirements.filter(
    (one) => one !== place && !(one.key === POD_NAMESPACE && one.operator === 'Exists'),
  );
  const named = rest.length === 0 ? 'every pod' : rest.map(requirementText).join(', ');
  return place === undefined ? named : `${named} in namespace ${place.values.join('|')}`;
}

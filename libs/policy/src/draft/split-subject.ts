import { POD_NAMESPACE, type EndpointView, type Label } from '../endpoint-view.js';
import { listAt, objectAt, type Json, type JsonObject } from '../json.js';
import { lastingLabels, matchLabels, type Precision } from './peer-source.js';

function labelsOf(subject: EndpointView, scope: string, precision: Precision): readonly Label[] {
  const own = lastingLabels(subject, precision);
  const place = { source: 'k8s', key: POD_NAMESPACE, value: subject.namespace };
  // A cluster-wide policy selects in every namespace.
  return scope === '' ? [...own, place] : own;
}

function selectsOnly(selector: JsonObject, labels: readonly Label[]): boolean {
  const equal = objectAt(selector, 'matchLabels');
  return labels.every(({ key, value }) =>
    [key, `k8s:${key}`, `any:${key}`].some((name) => equal[name] === value),
  );
}

function also(spec: JsonObject, expressions: readonly JsonObject[]): JsonObject {
  const selector = objectAt(spec, 'endpointSelector');
  const matchExpressions = [...(listAt(selector, 'matchExpressions') ?? []), ...expressions];
  return { ...spec, endpointSelector: { ...selector, matchExpressions } };
}

/**
 * A spec of which only one endpoint's part changes: the changed spec for that endpoint, and the spec as it was for all
 * others that it selects. One changed spec where it selects nobody else. Undefined when no label tells the endpoint apart.
 */
export function splitSubject(
  spec: JsonObject,
  changed: JsonObject,
  subject: EndpointView,
  at: { readonly scope: string; readonly precision: Precision },
): readonly JsonObject[] | undefined {
  const labels = labelsOf(subject, at.scope, at.precision);
  if (lastingLabels(subject, at.precision).length === 0) return undefined;
  if (selectsOnly(objectAt(spec, 'endpointSelector'), labels)) return [changed];
  const keys = Object.entries(matchLabels(labels));
  const others = keys.map(([key, value]) =>
    also(spec, [{ key, operator: 'NotIn', values: [value as Json] }]),
  );
  const own = keys.map(([key, value]): JsonObject => ({ key, operator: 'In', values: [value as Json] }));
  return [...others, also(changed, own)];
}

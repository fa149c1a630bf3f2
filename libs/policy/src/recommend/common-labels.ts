import { lastingLabels, type Precision } from '../draft/peer-source.js';
import type { EndpointView, Label } from '../endpoint-view.js';

const SERVICE_ACCOUNT = 'io.cilium.k8s.policy.serviceaccount';

function has(end: EndpointView, label: Label): boolean {
  return end.labels.some(({ key, value }) => key === label.key && value === label.value);
}

/**
 * Labels that all pods of a workload share and that no pod of `others` has together: canaries are included, neighbours
 * are not. Those of the application where they suffice, else all, else the service account; undefined when nothing tells
 * the workload apart.
 */
export function commonLabels(
  pods: readonly EndpointView[],
  others: readonly EndpointView[],
  precision: Precision,
): readonly Label[] | undefined {
  const [first] = pods;
  if (first === undefined) return undefined;
  const shared = (labels: readonly Label[]): readonly Label[] =>
    labels.filter((label) => pods.every((pod) => has(pod, label)));
  const account = first.labels.filter(({ key }) => key === SERVICE_ACCOUNT);
  const candidates = [
    ...(precision === 'app' ? [shared(lastingLabels(first, 'app'))] : []),
    shared(lastingLabels(first, 'all')),
    shared(account),
  ];
  return candidates.find(
    (labels) => labels.length > 0 && !others.some((pod) => labels.every((label) => has(pod, label))),
  );
}

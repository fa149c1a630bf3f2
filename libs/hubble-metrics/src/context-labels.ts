import type { EndpointRecord, FlowRecord, LabelledFlow } from '@flowledger/query';

/** Values of a context option (hubble note 5.1). */
export const CONTEXT_VALUES = [
  'identity',
  'namespace',
  'pod',
  'pod-name',
  'pod-short',
  'workload',
  'workload-name',
  'app',
  'dns',
  'ip',
  'reserved-identity',
] as const;

/** One way to name an endpoint. */
export type ContextValue = (typeof CONTEXT_VALUES)[number];

const SIDE_LABELS = ['ip', 'namespace', 'pod', 'workload', 'workload_kind', 'app'] as const;

/** Labels that `labelsContext` may name. */
export const LABEL_CONTEXTS: readonly string[] = [
  ...SIDE_LABELS.map((label) => `source_${label}`),
  ...SIDE_LABELS.map((label) => `destination_${label}`),
  'traffic_direction',
];

/** Which labels a handler adds to its own. */
export interface ContextOptions {
  readonly source?: readonly ContextValue[];
  readonly sourceEgress?: readonly ContextValue[];
  readonly sourceIngress?: readonly ContextValue[];
  readonly destination?: readonly ContextValue[];
  readonly destinationEgress?: readonly ContextValue[];
  readonly destinationIngress?: readonly ContextValue[];
  readonly labels: readonly string[];
}

/** One side of a flow with its labels. */
interface Side {
  readonly end: EndpointRecord;
  readonly labels: readonly string[];
}

const [INGRESS, EGRESS] = [1, 2];

/** The context labels of one handler. Pure. */
export class ContextLabels {
  /** In the order of {@link values}. */
  readonly names: readonly string[];
  readonly #options: ContextOptions;

  constructor(options: ContextOptions) {
    this.#options = options;
    const { source, sourceEgress, sourceIngress, destination, destinationEgress, destinationIngress } =
      options;
    this.names = [
      ...((source ?? sourceEgress ?? sourceIngress) === undefined ? [] : ['source']),
      ...((destination ?? destinationEgress ?? destinationIngress) === undefined ? [] : ['destination']),
      ...options.labels,
    ];
  }

  /** Label values of a flow. `swapped`: the flow is an answer and is counted as its question would be. */
  values(labelled: LabelledFlow, swapped = false): readonly string[] {
    const { flow } = labelled;
    const source = { end: flow.source, labels: labelled.sourceLabels };
    const destination = { end: flow.destination, labels: labelled.destinationLabels };
    const [from, to] = swapped ? [destination, source] : [source, destination];
    return this.names.map((name) => {
      if (name === 'source') return firstName(this.#sourceValues(flow), from);
      if (name === 'destination') return firstName(this.#destinationValues(flow), to);
      if (name === 'traffic_direction') return directionOf(flow);
      return name.startsWith('source_')
        ? sideLabel(name.slice('source_'.length), from)
        : sideLabel(name.slice('destination_'.length), to);
    });
  }

  #sourceValues({ trafficDirection }: FlowRecord): readonly ContextValue[] {
    const { source = [], sourceEgress, sourceIngress } = this.#options;
    if (trafficDirection === EGRESS) return sourceEgress ?? source;
    return trafficDirection === INGRESS ? (sourceIngress ?? source) : source;
  }

  #destinationValues({ trafficDirection }: FlowRecord): readonly ContextValue[] {
    const { destination = [], destinationEgress, destinationIngress } = this.#options;
    if (trafficDirection === EGRESS) return destinationEgress ?? destination;
    return trafficDirection === INGRESS ? (destinationIngress ?? destination) : destination;
  }
}

/** `ingress`, `egress` or `unknown`. */
export function directionOf({ trafficDirection }: FlowRecord): string {
  return trafficDirection === INGRESS ? 'ingress' : trafficDirection === EGRESS ? 'egress' : 'unknown';
}

/** The first value that names the side. */
function firstName(values: readonly ContextValue[], side: Side): string {
  for (const value of values) {
    const name = nameOf(value, side);
    if (name !== '') return name;
  }
  return '';
}

function nameOf(value: ContextValue, { end, labels }: Side): string {
  switch (value) {
    case 'identity':
      return labels.join(',');
    case 'namespace':
      return end.namespace;
    case 'pod':
      return qualified(end.namespace, end.pod);
    case 'pod-name':
      return end.pod;
    case 'pod-short':
      return qualified(end.namespace, shortPod(end.pod));
    case 'workload':
      return qualified(end.namespace, workloadOf(end).name);
    case 'workload-name':
      return workloadOf(end).name;
    case 'app':
      return appOf(labels);
    case 'dns':
      return end.names.join(',');
    case 'ip':
      return end.ip ?? '';
    case 'reserved-identity':
      return reservedOf(labels);
  }
}

function sideLabel(label: string, { end, labels }: Side): string {
  switch (label) {
    case 'ip':
      return end.ip ?? '';
    case 'namespace':
      return end.namespace;
    case 'pod':
      return end.pod;
    case 'workload':
      return workloadOf(end).name;
    case 'workload_kind':
      return workloadOf(end).kind;
    default:
      return appOf(labels);
  }
}

function qualified(namespace: string, name: string): string {
  if (name === '') return '';
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** The first workload as sent, or the canonical one where the agent names none (the remote side); never a reserved one. */
function workloadOf({ workloads, workload, workloadKind }: EndpointRecord): { kind: string; name: string } {
  const [kind = '', name = ''] = (workloads[0] ?? '').split('/');
  if (name !== '') return { kind, name };
  return workload.startsWith('reserved:') ? { kind: '', name: '' } : { kind: workloadKind, name: workload };
}

const APP_LABELS = ['k8s:app.kubernetes.io/name', 'k8s:k8s-app', 'k8s:app'];

function appOf(labels: readonly string[]): string {
  for (const name of APP_LABELS) {
    const found = labels.find((label) => label.startsWith(`${name}=`));
    if (found !== undefined) return found.slice(name.length + 1);
  }
  return '';
}

function reservedOf(labels: readonly string[]): string {
  if (labels.includes('reserved:kube-apiserver')) return 'reserved:kube-apiserver';
  return labels.find((label) => label.startsWith('reserved:')) ?? '';
}

/** A pod's name without its last one or two parts, which controllers make up; Hubble's rule, which also cuts `my-app-0` to `my`. */
function shortPod(pod: string): string {
  return /^(.+?)(?:-[a-z0-9]+){1,2}$/.exec(pod)?.[1] ?? pod;
}

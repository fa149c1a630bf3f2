import { enumName, RESERVED_IDENTITY } from '../hubble/enums.js';

/** What names an endpoint, whichever side of a flow it is on. */
export interface EndpointIdentity {
  readonly namespace: string;
  readonly podName: string;
  /** As sent: `source:key=value`. */
  readonly labels: readonly string[];
  /** Numeric security identity; only read where labels were left out by a field mask. */
  readonly identity?: number;
}

/** A workload; `kind` is '' when the name is only a guess from labels, or not a workload at all (`reserved:world`). */
export interface CanonicalWorkload {
  readonly kind: string;
  readonly name: string;
}

/** Characters of names that Kubernetes generates (apimachinery, util/rand), and of pod-template hashes, which are decimal digits put through it. */
const RANDOM = '[bcdfghjklmnpqrstvwxz2456789]';
const TEMPLATE_HASH = '[bcdf456789]';
const DEPLOYMENT_POD = new RegExp(`^(.+)-${TEMPLATE_HASH}{6,10}-${RANDOM}{5}$`);
/** A name of over 57 characters is cut before the five random ones are added, without a dash. */
const CUT_DEPLOYMENT_POD = new RegExp(`^(.{40,})-${TEMPLATE_HASH}{1,10}${RANDOM}{5}$`);
const CRON_JOB_POD = new RegExp(`^(.+)-(\\d{8})-${RANDOM}{5}$`);
const GENERATED_POD = new RegExp(`^(.+)-${RANDOM}{5}$`);
const ORDINAL_POD = /^(.+)-(0|[1-9]\d{0,4})$/;
const CRON_JOB_NAME = /^(.+)-\d{8}$/;

const NAME_LABELS = ['app.kubernetes.io/name', 'k8s-app', 'app'] as const;
const JOB_LABELS = ['batch.kubernetes.io/job-name', 'job-name'] as const;
const UNKNOWN: CanonicalWorkload = { kind: '', name: '' };

/**
 * The workload of an endpoint: a pure function of what both sides of a flow carry (Hubble sends `workloads` only for
 * endpoints local to the observing node), so the same pod gets the same name as client and as server, on every node.
 *
 * In order: the owner that the pod name shows (Deployment `name-<template hash>-<5>`, CronJob `name-<minute>-<5>`, Job
 * by its job label, StatefulSet `name-<ordinal>`, and `name-<5>`, whose kind — DaemonSet, ReplicaSet, Job — cannot be
 * told and is ''); the name labels; a pod of its own; `reserved:<name>` by label, kube-apiserver first, the world's IP
 * families as one; the same by reserved or local-scope identity where labels are masked; else ''.
 */
export function canonicalWorkload(endpoint: EndpointIdentity): CanonicalWorkload {
  const { podName, labels } = endpoint;
  if (podName !== '')
    return jobOf(labels) ?? ownerOf(podName) ?? labelled(labels) ?? { kind: 'Pod', name: podName };
  return reserved(labels) ?? labelled(labels) ?? reservedByIdentity(endpoint.identity ?? 0);
}

function ownerOf(pod: string): CanonicalWorkload | undefined {
  const deployment = DEPLOYMENT_POD.exec(pod) ?? (pod.length === 63 ? CUT_DEPLOYMENT_POD.exec(pod) : null);
  if (deployment?.[1] !== undefined) return { kind: 'Deployment', name: deployment[1] };
  const cronJob = CRON_JOB_POD.exec(pod);
  if (cronJob?.[1] !== undefined) return { kind: 'CronJob', name: cronJob[1] };
  const ordinal = ORDINAL_POD.exec(pod);
  if (ordinal?.[1] !== undefined) return { kind: 'StatefulSet', name: ordinal[1] };
  const generated = GENERATED_POD.exec(pod);
  return generated?.[1] === undefined ? undefined : { kind: '', name: generated[1] };
}

function jobOf(labels: readonly string[]): CanonicalWorkload | undefined {
  const job = labelValue(labels, JOB_LABELS);
  if (job === undefined) return undefined;
  const cronJob = CRON_JOB_NAME.exec(job);
  return cronJob?.[1] === undefined ? { kind: 'Job', name: job } : { kind: 'CronJob', name: cronJob[1] };
}

function labelled(labels: readonly string[]): CanonicalWorkload | undefined {
  const name = labelValue(labels, NAME_LABELS);
  return name === undefined ? undefined : { kind: '', name };
}

/** Value of the first of `keys` that a Kubernetes label (`k8s:key=value`, or without a source) has. */
function labelValue(labels: readonly string[], keys: readonly string[]): string | undefined {
  for (const key of keys)
    for (const prefix of [`k8s:${key}=`, `${key}=`])
      for (const label of labels)
        if (label.startsWith(prefix) && label.length > prefix.length) return label.slice(prefix.length);
  return undefined;
}

function reserved(labels: readonly string[]): CanonicalWorkload | undefined {
  const names = labels
    .filter((label) => label.startsWith('reserved:'))
    .map((label) => label.slice(9))
    .sort();
  const name = names.includes('kube-apiserver') ? 'kube-apiserver' : names[0];
  return name === undefined ? undefined : reservedName(name.replace(/=$/, ''));
}

function reservedName(name: string): CanonicalWorkload {
  return { kind: '', name: `reserved:${name.startsWith('world') ? 'world' : name}` };
}

/** Local-scope identities are CIDRs (scope 1) and remote nodes (scope 2): hubble note 1.3. */
function reservedByIdentity(identity: number): CanonicalWorkload {
  if (identity >>> 24 === 1) return reservedName('world');
  if (identity >>> 24 === 2) return reservedName('remote-node');
  return identity > 0 && identity <= 11 ? reservedName(enumName(RESERVED_IDENTITY, identity)) : UNKNOWN;
}

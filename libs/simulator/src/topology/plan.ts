/** Kinds of owner that the simulated pods have. */
export type OwnerKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob';

/** A workload as somebody would have written it in YAML. */
export interface WorkloadPlan {
  readonly namespace: string;
  readonly name: string;
  readonly kind: OwnerKind;
  /** Ignored for a DaemonSet: one pod a node. */
  readonly replicas: number;
  /** Extra pod labels besides `app`, without the `k8s:` source. */
  readonly labels?: readonly string[];
  /** Label key instead of `app`. */
  readonly appLabel?: string;
  /** Service account; the workload's name when absent. */
  readonly account?: string;
  /** Replica whose every second generation is a canary with other labels and another template hash. */
  readonly canary?: number;
  /** Pods are named by an operator: this and hexadecimal digits, not as a ReplicaSet would. */
  readonly podPrefix?: string;
  /** Node that all its pods are on; spread when absent. */
  readonly node?: number;
}

/** A ClusterIP service in front of a workload. */
export interface ServicePlan {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Workload behind it as `namespace/name`; absent for a service without backends. */
  readonly workload?: string;
}

/** A network policy that verdicts name. */
export interface PolicyPlan {
  readonly namespace: string;
  readonly name: string;
  readonly kind: 'CiliumNetworkPolicy' | 'CiliumClusterwideNetworkPolicy' | 'NetworkPolicy';
  readonly revision: number;
  /** `spec.log.value` of the policy. */
  readonly log?: string;
  readonly text: string;
  /** AuthType number of its verdicts: mutual authentication by SPIRE. */
  readonly authType?: number;
}

const SPIRE = 1;

/** Every workload of the demo cluster. Placement follows this order. */
export const WORKLOADS: readonly WorkloadPlan[] = [
  {
    namespace: 'kube-system',
    name: 'coredns',
    kind: 'Deployment',
    replicas: 2,
    appLabel: 'k8s-app',
    labels: [],
  },
  { namespace: 'shop', name: 'frontend', kind: 'Deployment', replicas: 3, labels: ['tier=web'] },
  {
    namespace: 'shop',
    name: 'catalog',
    kind: 'Deployment',
    replicas: 3,
    labels: ['version=v1'],
    canary: 2,
  },
  { namespace: 'shop', name: 'cart', kind: 'Deployment', replicas: 2 },
  { namespace: 'shop', name: 'checkout', kind: 'Deployment', replicas: 2 },
  { namespace: 'shop', name: 'payments', kind: 'Deployment', replicas: 2, labels: ['pci=true'] },
  { namespace: 'shop', name: 'recommendations', kind: 'Deployment', replicas: 2 },
  { namespace: 'shop', name: 'redis-cart', kind: 'StatefulSet', replicas: 1 },
  { namespace: 'shop', name: 'orders-kafka', kind: 'StatefulSet', replicas: 1, node: 2 },
  { namespace: 'shop', name: 'sales-report', kind: 'CronJob', replicas: 1 },
  {
    namespace: 'production',
    name: 'my-app',
    kind: 'Deployment',
    replicas: 3,
    account: 'my-app',
    podPrefix: 'my-app-xyz',
  },
  { namespace: 'production', name: 'payment-service', kind: 'Deployment', replicas: 2 },
  { namespace: 'monitoring', name: 'prometheus', kind: 'StatefulSet', replicas: 1 },
  { namespace: 'monitoring', name: 'grafana', kind: 'Deployment', replicas: 1 },
  { namespace: 'monitoring', name: 'prober', kind: 'Deployment', replicas: 1 },
  { namespace: 'monitoring', name: 'statsd', kind: 'Deployment', replicas: 1 },
  { namespace: 'monitoring', name: 'loki', kind: 'StatefulSet', replicas: 1 },
  { namespace: 'monitoring', name: 'log-agent', kind: 'DaemonSet', replicas: 0 },
  { namespace: 'staging', name: 'batch', kind: 'Deployment', replicas: 1 },
  { namespace: 'staging', name: 'legacy-db', kind: 'StatefulSet', replicas: 1 },
  { namespace: 'default', name: 'payment-service', kind: 'Deployment', replicas: 1 },
];

/** Every service of the demo cluster. */
export const SERVICES: readonly ServicePlan[] = [
  { namespace: 'kube-system', name: 'kube-dns', port: 53, workload: 'kube-system/coredns' },
  { namespace: 'shop', name: 'frontend', port: 80, workload: 'shop/frontend' },
  { namespace: 'shop', name: 'catalog', port: 80, workload: 'shop/catalog' },
  { namespace: 'shop', name: 'cart', port: 80, workload: 'shop/cart' },
  { namespace: 'shop', name: 'checkout', port: 80, workload: 'shop/checkout' },
  { namespace: 'shop', name: 'payments', port: 8443, workload: 'shop/payments' },
  { namespace: 'shop', name: 'recommendations', port: 80, workload: 'shop/recommendations' },
  { namespace: 'shop', name: 'redis-cart', port: 6379, workload: 'shop/redis-cart' },
  { namespace: 'shop', name: 'orders-kafka', port: 9092, workload: 'shop/orders-kafka' },
  { namespace: 'shop', name: 'search', port: 80 },
  { namespace: 'production', name: 'payment-service', port: 80, workload: 'production/payment-service' },
  { namespace: 'staging', name: 'legacy-db', port: 5432, workload: 'staging/legacy-db' },
  // A bare name in a filter means the namespace `default`, so the guide's example finds this one.
  { namespace: 'default', name: 'payment-service', port: 80, workload: 'default/payment-service' },
];

/** Name of the policy that starts the incident; see {@link POLICIES}. */
export const INCIDENT_POLICY = 'payments-lockdown';

/** Every policy that a verdict can name, by name. */
export const POLICIES: readonly PolicyPlan[] = [
  cnp('shop', 'frontend-ingress', 4, 'world may call frontend on 8080'),
  cnp('shop', 'catalog-http', 7, 'frontend, recommendations and sales-report may GET from catalog on 8080'),
  cnp('shop', 'cart-http', 7, 'frontend and checkout may call cart on 8080'),
  cnp('shop', 'checkout-http', 9, 'frontend may call checkout on 8080'),
  cnp('shop', 'frontend-egress-http', 9, 'frontend may call the shop over HTTP'),
  cnp('shop', 'checkout-egress-http', 9, 'checkout may call payments on 8443 over HTTP'),
  cnp('shop', 'redis-clients', 11, 'cart may call redis-cart on 6379'),
  { ...cnp('shop', 'orders-produce', 11, 'checkout may produce to topic orders'), authType: SPIRE },
  cnp(
    'shop',
    'deny-metadata',
    12,
    'nobody in shop may call 169.254.169.254',
    'metadata service is off limits',
  ),
  cnp('shop', INCIDENT_POLICY, 31, 'nobody but monitoring on 9090 may reach payments'),
  cnp('production', 'my-app-http', 14, 'world may call my-app on 8080'),
  cnp('production', 'payment-service-http', 14, 'my-app may call payment-service on 8080'),
  cnp('production', 'deny-staging', 15, 'staging is denied', 'staging must not reach production'),
  cnp('staging', 'legacy-db-audit', 17, 'audit mode: only legacy-app may call legacy-db'),
  {
    namespace: '',
    name: 'allow-dns',
    kind: 'CiliumClusterwideNetworkPolicy',
    revision: 2,
    text: 'every pod may ask kube-dns through the DNS proxy',
  },
];

function cnp(namespace: string, name: string, revision: number, text: string, log?: string): PolicyPlan {
  return {
    namespace,
    name,
    kind: 'CiliumNetworkPolicy',
    revision,
    text,
    ...(log === undefined ? {} : { log }),
  };
}

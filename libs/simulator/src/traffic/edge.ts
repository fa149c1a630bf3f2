/** Who reports the application protocol of an edge: the proxy at the client's egress, at the server's ingress, or both. */
export type L7Reporters = 'none' | 'client' | 'server' | 'both';

/** Who calls whom, over what, and how the cluster treats it. */
export interface Edge {
  /**
   * Who serves: `namespace/workload`, `host:<name>` (outside, by name), `partner`, `metadata`, `kube-apiserver`, `health`,
   * `internet`, or `service:<namespace>/<name>` for a service that has no backend.
   */
  readonly server: string;
  /** Port of the server's pod; 0 for ICMP. */
  readonly port: number;
  readonly transport: 'TCP' | 'UDP' | 'ICMPv4' | 'ICMPv6' | 'SCTP';
  readonly protocol: 'http' | 'dns' | 'kafka' | 'none';
  readonly reportedBy: L7Reporters;
  /** Service that the client dials, `namespace/name`; the socket load balancer translates it. */
  readonly service?: string;
  /** Policy that allows it at the server's ingress; absent = the endpoint has no ingress policy, so no verdicts. */
  readonly ingressPolicy?: string;
  /** Policy that allows it at the client's egress; absent = no egress policy. */
  readonly egressPolicy?: string;
  /** Share of calls that open a connection. */
  readonly newShare: number;
  /** Median and shape of the server's own time, ms. */
  readonly medianMs: number;
  readonly sigma: number;
  /** Share of answers that are the server's fault (HTTP 5xx, Kafka error). */
  readonly faultShare: number;
  /** Share of answers that are the client's fault (HTTP 404). */
  readonly missShare?: number;
  /** Name that a client looks up before it connects, now and then. */
  readonly lookup?: string;
  readonly ipv6?: boolean;
  /** The server's ingress policy is in audit mode and would deny this edge. */
  readonly audited?: boolean;
  /** Nothing answers (fire and forget). */
  readonly oneWay?: boolean;
}

const HTTP = { transport: 'TCP', protocol: 'http', sigma: 0.5, newShare: 0.25 } as const;
const TCP = {
  transport: 'TCP',
  protocol: 'none',
  reportedBy: 'none',
  sigma: 0.4,
  medianMs: 1,
  faultShare: 0,
} as const;

/** Every edge that the call scripts use. */
export const EDGES = {
  userFrontend: {
    ...HTTP,
    server: 'shop/frontend',
    port: 8080,
    reportedBy: 'server',
    ingressPolicy: 'frontend-ingress',
    newShare: 0.5,
    medianMs: 4,
    faultShare: 0.002,
  },
  frontendCatalog: {
    ...HTTP,
    server: 'shop/catalog',
    port: 8080,
    reportedBy: 'both',
    service: 'shop/catalog',
    ingressPolicy: 'catalog-http',
    egressPolicy: 'frontend-egress-http',
    medianMs: 6,
    faultShare: 0.004,
    missShare: 0.01,
    lookup: 'catalog',
  },
  frontendCart: {
    ...HTTP,
    server: 'shop/cart',
    port: 8080,
    reportedBy: 'both',
    service: 'shop/cart',
    ingressPolicy: 'cart-http',
    egressPolicy: 'frontend-egress-http',
    medianMs: 5,
    faultShare: 0.003,
    lookup: 'cart',
  },
  frontendRecommendations: {
    ...HTTP,
    server: 'shop/recommendations',
    port: 8080,
    reportedBy: 'client',
    service: 'shop/recommendations',
    egressPolicy: 'frontend-egress-http',
    medianMs: 18,
    sigma: 0.8,
    faultShare: 0.01,
    lookup: 'recommendations',
  },
  recommendationsCatalog: {
    ...HTTP,
    server: 'shop/catalog',
    port: 8080,
    reportedBy: 'server',
    service: 'shop/catalog',
    ingressPolicy: 'catalog-http',
    medianMs: 6,
    faultShare: 0.004,
  },
  reportCatalog: {
    ...HTTP,
    server: 'shop/catalog',
    port: 8080,
    reportedBy: 'server',
    service: 'shop/catalog',
    ingressPolicy: 'catalog-http',
    newShare: 1,
    medianMs: 300,
    faultShare: 0.02,
    lookup: 'catalog',
  },
  frontendCheckout: {
    ...HTTP,
    server: 'shop/checkout',
    port: 8080,
    reportedBy: 'both',
    service: 'shop/checkout',
    ingressPolicy: 'checkout-http',
    egressPolicy: 'frontend-egress-http',
    medianMs: 9,
    faultShare: 0.002,
    lookup: 'checkout',
  },
  checkoutCart: {
    ...HTTP,
    server: 'shop/cart',
    port: 8080,
    reportedBy: 'server',
    service: 'shop/cart',
    ingressPolicy: 'cart-http',
    medianMs: 5,
    faultShare: 0.003,
  },
  checkoutPayments: {
    ...HTTP,
    server: 'shop/payments',
    port: 8443,
    reportedBy: 'client',
    service: 'shop/payments',
    egressPolicy: 'checkout-egress-http',
    newShare: 0.5,
    medianMs: 25,
    faultShare: 0.004,
    lookup: 'payments',
  },
  checkoutKafka: {
    ...TCP,
    server: 'shop/orders-kafka',
    port: 9092,
    protocol: 'kafka',
    reportedBy: 'server',
    service: 'shop/orders-kafka',
    ingressPolicy: 'orders-produce',
    newShare: 0.1,
    medianMs: 3,
    faultShare: 0.01,
  },
  cartRedis: {
    ...TCP,
    server: 'shop/redis-cart',
    port: 6379,
    service: 'shop/redis-cart',
    ingressPolicy: 'redis-clients',
    newShare: 0.15,
    medianMs: 0.4,
  },
  paymentsBank: {
    ...TCP,
    server: 'host:api.bank.example.com',
    port: 443,
    newShare: 0.6,
    medianMs: 60,
    lookup: 'api.bank.example.com',
  },
  userMyApp: {
    ...HTTP,
    server: 'production/my-app',
    port: 8080,
    reportedBy: 'server',
    ingressPolicy: 'my-app-http',
    newShare: 0.4,
    medianMs: 11,
    sigma: 0.7,
    faultShare: 0.05,
    missShare: 0.03,
  },
  myAppPaymentService: {
    ...HTTP,
    server: 'production/payment-service',
    port: 8080,
    reportedBy: 'server',
    service: 'production/payment-service',
    ingressPolicy: 'payment-service-http',
    newShare: 0.4,
    medianMs: 20,
    faultShare: 0.02,
    lookup: 'payment-service',
  },
  myAppApi: {
    ...TCP,
    server: 'host:api.example.com',
    port: 443,
    newShare: 0.7,
    medianMs: 45,
    lookup: 'api.example.com',
  },
  myAppStatsd: {
    ...TCP,
    transport: 'UDP',
    server: 'monitoring/statsd',
    port: 8125,
    newShare: 1,
    oneWay: true,
  },
  scrapeCatalog: {
    ...HTTP,
    server: 'shop/catalog',
    port: 9090,
    reportedBy: 'none',
    ingressPolicy: 'catalog-http',
    newShare: 0.3,
    medianMs: 8,
    faultShare: 0,
  },
  scrapeMyApp: {
    ...HTTP,
    server: 'production/my-app',
    port: 9090,
    reportedBy: 'none',
    newShare: 0.3,
    medianMs: 8,
    faultShare: 0,
  },
  scrapePayments: {
    ...HTTP,
    server: 'shop/payments',
    port: 9090,
    reportedBy: 'none',
    newShare: 0.5,
    medianMs: 8,
    faultShare: 0,
  },
  probe: {
    ...HTTP,
    server: 'shop/frontend',
    port: 8080,
    reportedBy: 'none',
    newShare: 1,
    medianMs: 2,
    faultShare: 0,
  },
  apiServer: { ...TCP, server: 'kube-apiserver', port: 6443, newShare: 0.8, medianMs: 5 },
  health: { ...TCP, server: 'health', port: 4240, newShare: 1 },
  healthPing: { ...TCP, transport: 'ICMPv4', server: 'health', port: 0, newShare: 1 },
  ping: { ...TCP, transport: 'ICMPv4', server: 'internet', port: 0, newShare: 1, medianMs: 0.1 },
  pingV6: {
    ...TCP,
    transport: 'ICMPv6',
    server: 'internet',
    port: 0,
    newShare: 1,
    ipv6: true,
    medianMs: 0.1,
  },
  sctpMetrics: { ...TCP, transport: 'SCTP', server: 'monitoring/statsd', port: 9899, newShare: 1 },
  reconcile: {
    ...HTTP,
    server: 'default/payment-service',
    port: 8080,
    reportedBy: 'none',
    service: 'default/payment-service',
    newShare: 1,
    medianMs: 15,
    faultShare: 0.01,
  },
  partner: { ...TCP, server: 'partner', port: 8443, newShare: 0.8, medianMs: 30 },
  hook: {
    ...TCP,
    server: 'host:hooks.example.org',
    port: 443,
    newShare: 1,
    medianMs: 80,
    lookup: 'hooks.example.org',
  },
  logs: { ...TCP, server: 'monitoring/loki', port: 3100, newShare: 0.6, ipv6: true, medianMs: 7 },
  audited: {
    ...TCP,
    server: 'staging/legacy-db',
    port: 5432,
    service: 'staging/legacy-db',
    newShare: 1,
    medianMs: 12,
    audited: true,
  },
  stagingMyApp: { ...TCP, server: 'production/my-app', port: 8080, newShare: 1 },
  grafanaRedis: { ...TCP, server: 'shop/redis-cart', port: 6379, newShare: 1 },
  metadata: { ...TCP, server: 'metadata', port: 80, newShare: 1 },
  search: { ...TCP, server: 'service:shop/search', port: 80, newShare: 1 },
  spoofed: { ...TCP, server: 'internet', port: 443, newShare: 1 },
  foreignFrame: { ...TCP, server: 'internet', port: 0, newShare: 1 },
  dns: {
    transport: 'UDP',
    protocol: 'dns',
    reportedBy: 'client',
    server: 'kube-system/coredns',
    port: 53,
    service: 'kube-system/kube-dns',
    egressPolicy: 'allow-dns',
    newShare: 1,
    medianMs: 0.6,
    sigma: 0.6,
    faultShare: 0.006,
  },
} as const satisfies Record<string, Edge>;

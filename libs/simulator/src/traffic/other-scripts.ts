import { Party } from '../topology/party.js';
import type { Decision } from './decision.js';
import { EDGES, type Edge } from './edge.js';
import { refusedLookUp } from './name-lookup.js';
import { http } from './shop-scripts.js';

/** A client of the production namespace: orders, payments through a service, an external API. */
export function useMyApp(d: Decision, atNs: number): void {
  const id = 10_000 + d.random.below(90_000);
  const reads = d.random.chance(0.7);
  const request = reads
    ? http('GET', `/api/v1/orders/${id}`, '/api/v1/orders/{id}')
    : http('POST', '/api/v1/orders');
  const user = d.cluster.outside.user(d.random.below(200));
  const call = d.begin(EDGES.userMyApp, request, user, atNs);
  if (call.denial !== undefined) return;
  let ready = call.serverRequestNs;
  let status: number | undefined;
  if (!reads) {
    const charge = d.ask(EDGES.myAppPaymentService, http('POST', '/payments'), call.server, ready, {
      parent: call,
    });
    ready = charge.clientResponseNs;
    if (charge.denial !== undefined || charge.status >= 500) status = 500;
  }
  if (d.random.chance(0.15)) d.ask(EDGES.myAppApi, undefined, call.server, ready, { parent: call });
  if (d.random.chance(0.1)) d.ask(EDGES.myAppStatsd, undefined, call.server, ready, { parent: call });
  d.answer(call, ready, status);
}

/** A script of one call from a workload's pod. */
export function plain(edge: Edge, client: string): (d: Decision, atNs: number) => void {
  return (d, atNs) => {
    d.ask(edge, undefined, d.pod(client), atNs);
  };
}

/** Prometheus reads metrics of one of its targets. */
export function scrape(d: Decision, atNs: number): void {
  const edge = d.random.pick([EDGES.scrapeCatalog, EDGES.scrapeMyApp, EDGES.scrapePayments]);
  d.ask(edge, http('GET', '/metrics'), d.pod('monitoring/prometheus'), atNs);
}

/** The kubelet probes a pod on its own node. */
export function probe(d: Decision, atNs: number): void {
  const { hosts, nobody } = d.cluster.outside;
  d.ask(EDGES.probe, http('GET', '/healthz'), (server) => hosts[server.node] ?? nobody, atNs);
}

/** The agents check each other's health. */
export function checkHealth(d: Decision, atNs: number): void {
  const edge = d.random.chance(0.5) ? EDGES.health : EDGES.healthPing;
  const { hosts, remoteNodes, nobody } = d.cluster.outside;
  const from = (server: Party): Party => {
    const others = remoteNodes.filter((node) => node.node !== server.node);
    return others.length === 0 ? (hosts[server.node] ?? nobody) : d.random.pick(others);
  };
  d.ask(edge, undefined, from, atNs);
}

/** A batch job reads the catalogue. */
export function report(d: Decision, atNs: number): void {
  const request = http('GET', '/products/export?format=csv', '/products/export');
  d.ask(EDGES.reportCatalog, request, d.pod('shop/sales-report'), atNs);
}

/** A request that the proxy in front of the catalogue refuses: only GET is allowed. */
export function refusedRequest(d: Decision, atNs: number): void {
  const id = 100 + d.random.below(400);
  const denial = { kind: 'request', reason: 0, side: 'server', byPolicy: true } as const;
  const request = http('DELETE', `/products/${id}`, '/products/{id}');
  d.begin(EDGES.recommendationsCatalog, request, d.pod('shop/recommendations'), atNs, { denial });
}

/** Somebody compares books with the payment service of the default namespace. */
export function reconcile(d: Decision, atNs: number): void {
  d.ask(EDGES.reconcile, http('GET', '/payments/pending'), d.pod('monitoring/grafana'), atNs);
}

/** A look-up of a name that the DNS policy does not allow. */
export function refusedName(d: Decision, atNs: number): void {
  refusedLookUp(d, d.pod('shop/catalog'), 'tracker.example.net.', atNs);
}

/** A frame that is no IP: the agent knows the sender's identity only. */
export function foreignFrame(d: Decision, atNs: number): void {
  const pod = d.pod('monitoring/prober');
  const sender = new Party({ ...pod, pod: '', ip: '', ip6: '', endpointId: 0, workloadKind: '' });
  d.ask(EDGES.foreignFrame, undefined, sender, atNs);
}

/** A packet with a source address that is not the pod's: by address the agent knows nobody, only the identity is left. */
export function spoof(d: Decision, atNs: number): void {
  const pod = d.pod('staging/batch');
  const sender = new Party({ ...pod, pod: '', ip: '172.17.0.9', ip6: '', endpointId: 0, workloadKind: '' });
  d.ask(EDGES.spoofed, undefined, sender, atNs);
}

import { planDns } from '../dns/plan-dns.js';
import { planDrops, refineDrops } from '../drops/plan-drops.js';
import { planTcpHealth } from '../tcp/plan-tcp-health.js';
import { planChanges, planExplanation } from '../explain/plan-explanation.js';
import { planPolicyChanges } from '../explain/policy-changes.js';
import { planPolicyEdges } from '../explain/policy-edges.js';
import { planTwins } from '../explain/twins.js';
import type { FlowFilters } from '../filter/flow-filter.js';
import { encodeCursor, hashFilters } from '../flows/flow-cursor.js';
import { readFlow } from '../flows/read-flow.js';
import { planFlow, planFlowCount, planLabels } from '../flows/plan-flow.js';
import { planFlowExport } from '../flows/plan-flow-export.js';
import { planFlows } from '../flows/plan-flows.js';
import { planMatchCounts } from '../flows/plan-match-counts.js';
import { planHistory } from '../history/endpoint-history.js';
import { planFirstSeen } from '../first-seen/plan-first-seen.js';
import { planHints } from '../hints/plan-hints.js';
import { planHourEndpoints } from '../live/known-endpoints.js';
import { planSamples } from '../group/plan-samples.js';
import { planCoverage, planNamespaceNodes, planSampledShare } from '../inventory/plan-coverage.js';
import { planClusters, planNamespaces, planNodes, planOtherClusters } from '../inventory/plan-inventory.js';
import { planServiceMap } from '../map/plan-service-map.js';
import { DEFAULT_LIMITS, DEFAULT_RETENTION } from '../query-plan.js';
import type { QueryContext, QueryPlan } from '../query-plan.js';
import { planRed, planRedQuestion } from '../red/plan-red.js';
import type { Result } from '../result.js';

const NOW = 1_767_268_800_000_000_000n;
/** Who asks, and when. */
export const SAMPLE_CONTEXT: QueryContext = {
  tenant: 'acme',
  nowNs: NOW,
  limits: DEFAULT_LIMITS,
  retention: DEFAULT_RETENTION,
};
const RAGGED = { fromNs: NOW - 7_200_000_000_001n, toNs: NOW };

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** A filter that sets every field that is supported. */
export const EVERY_FIELD: FlowFilters = {
  allow: [
    {
      uuid: ['43eea867-dd4b-4e5e-b2b8-fe80e0f51b06'],
      sourceIp: ['10.0.0.0/8', '::1'],
      destinationIp: ['::/0'],
      sourceIpXlated: ['192.0.2.7'],
      ipVersion: ['IPv4'],
      encrypted: [true],
      sourcePod: ['shop/front', 'web', 'shop/', '/web', '/'],
      destinationService: ['shop/checkout'],
      sourceFqdn: ['*.example.com.', 'api.example.org'],
      sourceLabel: ['k8s:app=web, tier in (a, b), !canary, version!=2, weight>3'],
      nodeLabels: ['zone'],
      sourceWorkload: [{ name: 'web', kind: 'Deployment' }, { name: 'web' }, { kind: 'Job' }, {}],
      destinationIdentity: [2, 16_777_217],
      sourceClusterName: ['eu'],
      nodeName: ['eu/node-*', 'node-1', '/'],
      interface: [{ index: 4, name: 'eth0' }, {}],
      sourcePort: ['0', '443'],
      destinationPort: ['8080'],
      protocol: ['TCP', 'icmp', 'http'],
      tcpFlags: [{ syn: true, ack: false }, {}],
      reply: [false],
      verdict: ['DROPPED', 'UNRECOGNIZED'],
      dropReasonDesc: ['POLICY_DENIED', '181'],
      trafficDirection: ['INGRESS', 'UNKNOWN'],
      eventType: [{ type: 129 }, { type: 4, subType: 0 }, { type: 0 }],
      httpStatusCode: ['404', '5+'],
      httpMethod: ['get'],
      httpPath: ['^/a/[0-9]+$'],
      httpUrl: ['example'],
      celExpression: [
        "_flow.source.labels.exists(l, l.startsWith('k8s:app=')) || _flow.l7.dns.ips[0] == '10.0.0.1'",
      ],
      httpHeader: [{ key: 'X-Id', value: '7' }],
      traceId: [''],
      ipTraceId: ['18446744073709551615'],
    },
    {
      dnsQuery: ['\\.com\\.$'],
      matchInferred: true,
      destinationWorkload: [{ name: 'dns' }],
      sourceService: ['a/b'],
    },
  ],
  deny: [{}],
};

const CURSOR_FILTERS = { allow: [{ verdict: ['DROPPED'] }] };
const AT = { bucketNs: NOW - 1n, logEpoch: 7n, partition: 3, offset: 99n, index: 4 };
const DROP = readFlow({
  bucket_ns: String(NOW - 5n),
  _le: '7',
  _lp: 1,
  _lo: '2',
  _li: 3,
  cluster: 'eu',
  node: 'n1',
  event_type: 1,
  drop_reason: 181,
  src_ip: '::ffff:10.0.0.1',
  dst_ip: 'fd00::2',
  client_side: 1,
  server_port: 80,
});

function firstSeenPlan(index: number): QueryPlan {
  const { plans } = must(planFirstSeen({ window: RAGGED, cluster: 'eu', namespace: 'shop' }, SAMPLE_CONTEXT));
  const plan = plans[index]?.plan;
  if (plan === undefined) throw new Error(`no plan ${index}`);
  return plan;
}

/** One plan of every kind, by the name of its golden. */
export const SAMPLE_PLANS: Readonly<Record<string, () => QueryPlan>> = {
  'policy-edges-passed': () =>
    planPolicyEdges(
      { window: RAGGED, outcome: 'FORWARDED', cluster: 'eu', namespace: 'shop' },
      SAMPLE_CONTEXT,
    ),
  'policy-edges-denied': () =>
    planPolicyEdges({ window: RAGGED, outcome: 'DENIED', limit: 1000 }, SAMPLE_CONTEXT),
  'policy-edges-audited': () => planPolicyEdges({ window: RAGGED, outcome: 'AUDITED' }, SAMPLE_CONTEXT),
  'policy-changes': () => planPolicyChanges(RAGGED, 'eu', SAMPLE_CONTEXT),
  'first-seen-edges': () => firstSeenPlan(0),
  'first-seen-reasons': () => firstSeenPlan(1),
  'first-seen-destinations': () => firstSeenPlan(2),
  'first-seen-history': () => must(planFirstSeen({ cluster: 'eu' }, SAMPLE_CONTEXT)).begins,
  'flows-default': () => must(planFlows({}, SAMPLE_CONTEXT)).plan,
  'filter-hints': () =>
    must(planHints({ field: 'sourcePod', prefix: 'shop/', window: RAGGED }, SAMPLE_CONTEXT)).plan,
  'label-hints': () => must(planHints({ field: 'sourceLabel', window: RAGGED }, SAMPLE_CONTEXT)).plan,
  'match-counts': () =>
    must(
      planMatchCounts(
        { filters: { allow: [{ sourceService: ['shop/cart'], matchInferred: true }] }, window: RAGGED },
        1000,
        SAMPLE_CONTEXT,
      ),
    ),
  'flows-every-field': () => must(planFlows({ filters: EVERY_FIELD, window: RAGGED }, SAMPLE_CONTEXT)).plan,
  'flows-after-cursor': () => {
    const after = encodeCursor(AT, hashFilters(CURSOR_FILTERS));
    return must(planFlows({ filters: CURSOR_FILTERS, first: 5, after, parts: [] }, SAMPLE_CONTEXT)).plan;
  },
  'flow-export': () =>
    must(planFlowExport({ window: RAGGED, filters: EVERY_FIELD, count: 5, first: false }, SAMPLE_CONTEXT))
      .plan,
  'flows-two-clusters': () =>
    must(planFlows({ last: 5, parts: [], clusters: ['eu', 'us'] }, SAMPLE_CONTEXT)).plan,
  'flow-by-uuid': () =>
    must(planFlow({ uuid: '43eea867-dd4b-4e5e-b2b8-fe80e0f51b06', parts: [] }, SAMPLE_CONTEXT)),
  'flow-count': () => must(planFlowCount({ filters: CURSOR_FILTERS }, 1000, SAMPLE_CONTEXT)),
  'endpoint-history': () =>
    planHistory([{ cluster: 'eu', hourS: 1_767_265_200, ip: '10.0.0.1' }], SAMPLE_CONTEXT),
  'endpoints-of-hours': () => planHourEndpoints([1_767_265_200], 1000, SAMPLE_CONTEXT),
  labels: () => planLabels(['18446744073709551615', '1', '1'], SAMPLE_CONTEXT),
  'red-segments': () =>
    must(
      planRed(
        {
          window: RAGGED,
          groupBy: [{ dimension: 'WORKLOAD' }, { dimension: 'ENDPOINT' }],
          filters: { allow: [{ destinationPod: ['shop/'], destinationPort: ['80'], protocol: ['http'] }] },
          stepNs: 300_000_000_000n,
          orderBy: 'P95',
        },
        SAMPLE_CONTEXT,
      ),
    ).plan,
  'red-unranked': () => {
    const { unranked } = must(
      planRed({ window: RAGGED, groupBy: [{ dimension: 'WORKLOAD' }] }, SAMPLE_CONTEXT),
    );
    if (unranked === null) throw new Error('a series');
    return unranked.plan;
  },
  'red-unsided': () => {
    const { question } = must(planRed({ window: RAGGED, stepNs: 300_000_000_000n }, SAMPLE_CONTEXT));
    return must(planRedQuestion({ ...question, unsided: true }, SAMPLE_CONTEXT)).plan;
  },
  'red-raw': () =>
    must(
      planRed(
        { groupBy: [{ dimension: 'POD', side: 'CLIENT' }], filters: { deny: [{ httpStatusCode: ['404'] }] } },
        SAMPLE_CONTEXT,
      ),
    ).plan,
  'drops-rollup': () =>
    must(planDrops({ window: RAGGED, filters: { allow: [{ nodeName: ['n1'] }] } }, SAMPLE_CONTEXT)).plan,
  'drops-refined': () => {
    const planned = must(
      planDrops({ window: RAGGED, groupBy: [{ dimension: 'WORKLOAD', side: 'CLIENT' }] }, SAMPLE_CONTEXT),
    );
    const refined = refineDrops(planned, [{ shown_unnamed_1: 1 }], SAMPLE_CONTEXT);
    if (refined === null) throw new Error('nothing to refine');
    return must(refined).plan;
  },
  'drops-by-policy': () => must(planDrops({ groupBy: [{ dimension: 'POLICY' }] }, SAMPLE_CONTEXT)).plan,
  samples: () => {
    const { keys, window } = must(planDrops({ window: RAGGED }, SAMPLE_CONTEXT));
    const id = Buffer.from(JSON.stringify(['133'])).toString('base64url');
    return must(planSamples({ question: 'drops', window, keys, groupId: id, first: 3 }, SAMPLE_CONTEXT));
  },
  'samples-of-policy': () => {
    const { keys, window } = must(planDrops({ groupBy: [{ dimension: 'POLICY' }] }, SAMPLE_CONTEXT));
    const id = Buffer.from(JSON.stringify(['a/b'])).toString('base64url');
    const request = { question: 'drops', window, keys, groupId: id, first: 3, policies: ['eA=='] } as const;
    return must(planSamples(request, SAMPLE_CONTEXT));
  },
  twins: () => planTwins([DROP], SAMPLE_CONTEXT) ?? planLabels([], SAMPLE_CONTEXT),
  'map-edges': () => must(planServiceMap({ window: RAGGED }, SAMPLE_CONTEXT)).now.edges,
  'map-red': () => must(planServiceMap({ window: RAGGED, collapse: 'POD' }, SAMPLE_CONTEXT)).now.red.plan,
  nodes: () => must(planNodes(RAGGED, SAMPLE_CONTEXT)).plan,
  namespaces: () => must(planNamespaces(RAGGED, SAMPLE_CONTEXT)).plan,
  clusters: () => planClusters(SAMPLE_CONTEXT),
  'clusters-other': () => planOtherClusters(['eu'], RAGGED, SAMPLE_CONTEXT),
  'coverage-lost': () => must(planCoverage({ window: RAGGED, node: 'n1' }, SAMPLE_CONTEXT)).lost,
  'coverage-status': () =>
    must(planCoverage({ window: RAGGED, cluster: 'eu', node: 'n1' }, SAMPLE_CONTEXT)).status,
  'coverage-extent': () => must(planCoverage({ window: RAGGED, cluster: 'eu' }, SAMPLE_CONTEXT)).extent,
  'coverage-nodes': () => must(planNamespaceNodes('shop', { window: RAGGED }, SAMPLE_CONTEXT)),
  'coverage-sampled': () => must(planSampledShare({ window: RAGGED, nodes: ['eu/n1'] }, SAMPLE_CONTEXT)),
  'drop-history': () => planExplanation(DROP, SAMPLE_CONTEXT).history,
  'denied-history': () =>
    planExplanation({ ...DROP, verdict: 2, l7Kind: 2, endpoint: 'GET /a' }, SAMPLE_CONTEXT).history,
  'drop-changes': () => planChanges(DROP, DROP.position.bucketNs, SAMPLE_CONTEXT),
  dns: () => must(planDns({ filters: CURSOR_FILTERS, window: RAGGED }, SAMPLE_CONTEXT)).plan,
  'dns-total': () => must(planDns({ groupBy: [], orderBy: 'FAILURES' }, SAMPLE_CONTEXT)).plan,
  'tcp-health': () => must(planTcpHealth({ window: RAGGED }, SAMPLE_CONTEXT)).plan,
  'tcp-health-total': () => must(planTcpHealth({ groupBy: [], orderBy: 'RESETS' }, SAMPLE_CONTEXT)).plan,
};

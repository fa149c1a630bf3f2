// The queries of the page, and the ones it offers to copy.

const STATS = 'requests denied ratePerSecond errors errorRatio quantilesMs(q: [0.5, 0.95, 0.99])';

export const PAGE_QUERY = `
query StartPage($last: Duration!, $step: Duration!) {
  coverage(window: { last: $last }) {
    status unaccounted eventsLostUpstream nodesExpected nodesReporting gaps { from to cause }
  }
  serviceMap(window: { last: $last }, maxEdges: 200) {
    truncated
    nodes { id name kind namespace cluster inferred }
    edges { id client server protocol port connections drops encryptedShare firstSeen lastSeen red { ${STATS} } }
  }
  drops(
    window: { last: $last }
    limit: 20
    groupBy: [
      { dimension: DROP_REASON }
      { dimension: WORKLOAD, side: CLIENT }
      { dimension: WORKLOAD, side: SERVER }
      { dimension: POLICY }
    ]
  ) {
    total audited other groupCount
    groups { key { dimension side value } text count firstSeen lastSeen remedy }
  }
  redMetrics(
    window: { last: $last }
    step: $step
    limit: 30
    groupBy: [{ dimension: WORKLOAD, side: SERVER }]
  ) {
    total { ${STATS} }
    other { requests }
    groups { key { dimension side value } stats { ${STATS} } series { requests errors } }
    answered { table exact }
  }
}`;

export const LAST_DROP_QUERY = `
query LastDrop($last: Duration!, $filter: FlowFilter!) {
  flows(window: { last: $last }, last: 1, filters: { allow: [$filter] }) { nodes { id } }
}`;

export const EXPLAIN_QUERY = `
query Explain($id: ID!) {
  dropExplanation(flowId: $id) { conclusion remedy evidence { level statement } }
}`;

const text = (value) => JSON.stringify(value);

function whoDropped(last) {
  return `query WhoDropped {
  drops(
    window: { last: "${last}" }
    groupBy: [
      { dimension: DROP_REASON }
      { dimension: WORKLOAD, side: CLIENT }
      { dimension: WORKLOAD, side: SERVER }
      { dimension: POLICY }
    ]
    limit: 10
  ) {
    total
    groups {
      key { dimension side value }
      text count firstSeen lastSeen remedy
    }
    coverage { status unaccounted }
  }
}`;
}

function red(last) {
  return `query Red {
  redMetrics(
    window: { last: "${last}" }
    groupBy: [{ dimension: WORKLOAD, side: SERVER }]
    orderBy: ERRORS
    limit: 10
  ) {
    total { requests ratePerSecond errorRatio }
    groups {
      key { value }
      stats { requests errorRatio quantilesMs(q: [0.5, 0.95, 0.99]) }
    }
    answered { table exact }
    coverage { status }
  }
}`;
}

function serviceMap(last) {
  return `query ServiceMap {
  serviceMap(window: { last: "${last}" }) {
    nodes { id name namespace }
    edges { client server port connections drops red { requests errorRatio } }
    truncated
    coverage { status }
  }
}`;
}

function lastFlows(last) {
  return `query LastFlows {
  flows(window: { last: "${last}" }, last: 20, filters: { allow: [{ verdict: [DROPPED] }] }) {
    nodes {
      time verdict summary nodeName
      dropReason { text }
      source { namespace podName ip }
      destination { namespace podName ip }
    }
    pageInfo { startCursor hasPreviousPage }
    coverage { status }
  }
}`;
}

function workload(node) {
  return node?.kind === 'workload' ? `{ name: ${text(node.name)} }` : undefined;
}

/** Flows between two nodes of the map. */
function edgeFlows(client, server, last, droppedOnly) {
  const parts = [];
  if (workload(client)) parts.push(`sourceWorkload: [${workload(client)}]`);
  if (workload(server)) parts.push(`destinationWorkload: [${workload(server)}]`);
  if (droppedOnly) parts.push('verdict: [DROPPED]');
  parts.push('matchInferred: true');
  return `query FlowsOfEdge {
  flows(
    window: { last: "${last}" }
    last: 20
    filters: { allow: [{ ${parts.join(', ')} }] }
  ) {
    nodes {
      time verdict summary
      dropReason { text }
      policies { namespace name effect }
      source { podName } destination { podName }
    }
  }
}`;
}

/** Who calls a node, how often and how well. */
function callersOf(node, last) {
  const filter = workload(node)
    ? `\n    filters: { allow: [{ destinationWorkload: [${workload(node)}], matchInferred: true }] }`
    : '';
  return `query CallersOf {
  redMetrics(
    window: { last: "${last}" }${filter}
    groupBy: [{ dimension: WORKLOAD, side: CLIENT }, { dimension: ENDPOINT }]
  ) {
    groups {
      key { dimension value }
      stats { requests errorRatio quantilesMs(q: [0.5, 0.95, 0.99]) }
    }
    coverage { status }
  }
}`;
}

export const EXAMPLES = {
  edgeFlows,
  callersOf,
  list: (last) => [
    { title: 'What was dropped, by whom and why', query: whoDropped(last) },
    { title: 'Which services fail or are slow', query: red(last) },
    { title: 'Who talks to whom', query: serviceMap(last) },
    { title: 'The last dropped flows', query: lastFlows(last) },
  ],
};

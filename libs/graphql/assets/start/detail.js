// The panel beside the map.
import { ask } from './api.js';
import { queryButtons } from './copy.js';
import { byId, tag } from './dom.js';
import { count, key, millis, percent, rate, shortName, time } from './format.js';
import { EXAMPLES, EXPLAIN_QUERY, LAST_DROP_QUERY } from './queries.js';
import { state } from './state.js';

/** Shows what was chosen, or what stands out; `choose` is called for an edge of the list. */
export function drawDetail(choose) {
  const { serviceMap } = state.answer;
  const edge =
    state.chosen?.kind === 'edge' ? serviceMap.edges.find((e) => e.id === state.chosen.id) : undefined;
  const node =
    state.chosen?.kind === 'node' ? serviceMap.nodes.find((n) => n.id === state.chosen.id) : undefined;
  const content = edge
    ? edgeDetail(edge, serviceMap)
    : node
      ? nodeDetail(node, serviceMap)
      : overview(serviceMap, choose);
  byId('detail').replaceChildren(...content);
}

function overview(map, choose) {
  const nameOf = (id) => shortName(map.nodes.find((n) => n.id === id)?.name ?? id);
  const dropping = map.edges
    .filter((e) => e.drops > 0)
    .sort((a, b) => b.drops - a.drops)
    .slice(0, 5);
  const failing = map.edges
    .filter((e) => (e.red?.errorRatio ?? 0) > 0.01)
    .sort((a, b) => b.red.errors - a.red.errors)
    .slice(0, 5);
  const list = (edges, note) =>
    tag(
      'ul',
      {},
      ...edges.map((e) => tag('li', {}, edgeButton(e, nameOf, choose), ' ', tag('span', { class: 'ns' }, note(e)))),
    );
  const quiet = dropping.length + failing.length === 0;
  return [
    tag('h3', {}, quiet ? 'Nothing stands out' : 'What stands out'),
    ...(dropping.length > 0
      ? [tag('p', { class: 'hint' }, 'Dropped traffic'), list(dropping, (e) => `${count(e.drops)} drops`)]
      : []),
    ...(failing.length > 0
      ? [
          tag('p', { class: 'hint' }, 'Failing calls'),
          list(failing, (e) => `${percent(e.red.errorRatio)} errors`),
        ]
      : []),
    tag('p', { class: 'hint' }, 'Choose a service or an edge for its figures.'),
  ];
}

function edgeButton(edge, nameOf, choose) {
  const button = tag('button', {}, `${nameOf(edge.client)} → ${nameOf(edge.server)}`);
  button.addEventListener('click', () => choose({ kind: 'edge', id: edge.id }));
  return button;
}

function redList(red) {
  if (!red) return [['Requests', 'no L7 visibility']];
  return [
    ['Requests', `${count(red.requests)} · ${rate(red.ratePerSecond)}/s`],
    ['Errors', `${percent(red.errorRatio)}${red.denied > 0 ? ` · ${count(red.denied)} denied` : ''}`],
    ...['p50', 'p95', 'p99'].map((name, i) => [name, millis(red.quantilesMs[i])]),
  ];
}

function definitions(rows) {
  return tag('dl', {}, ...rows.flatMap(([name, value]) => [tag('dt', {}, name), tag('dd', {}, value)]));
}

function edgeDetail(edge, map) {
  const find = (id) => map.nodes.find((n) => n.id === id);
  const [client, server] = [find(edge.client), find(edge.server)];
  const rows = [
    ['Protocol', `${edge.protocol}${edge.port > 0 ? `/${edge.port}` : ''}`],
    ...redList(edge.red),
    ['Connections', edge.connections === null ? 'unknown' : count(edge.connections)],
    ['Drops', count(edge.drops)],
    ['Encrypted', edge.encryptedShare === null ? 'unknown' : percent(edge.encryptedShare)],
    ['First seen', time(edge.firstSeen)],
    ['Last seen', time(edge.lastSeen)],
  ];
  const query = EXAMPLES.edgeFlows(client, server, state.window.last, edge.drops > 0);
  return [tag('h3', {}, `${shortName(client.name)} → ${shortName(server.name)}`), definitions(rows), ...why(edge, client, server), queryButtons(query)];
}

/** The explanation of an edge's last drop; asked for once an answer, filled in when it comes. */
function why(edge, client, server) {
  if (edge.drops === 0) return [];
  const box = tag('div', { class: 'why' }, tag('p', { class: 'hint' }, 'Looking for the reason…'));
  if (!state.explained.has(edge.id)) state.explained.set(edge.id, explain(client, server));
  state.explained.get(edge.id).then(
    (found) => box.replaceChildren(...explanation(found)),
    (error) => box.replaceChildren(tag('p', { class: 'hint' }, `No explanation: ${error.message}`)),
  );
  return [box];
}

async function explain(client, server) {
  const filter = {
    eventType: [{ type: 1 }],
    sourceWorkload: [{ name: client.name }],
    destinationWorkload: [{ name: server.name }],
    matchInferred: true,
  };
  const { flows } = await ask(LAST_DROP_QUERY, { last: state.window.last, filter });
  if (flows.nodes.length === 0) return null;
  return (await ask(EXPLAIN_QUERY, { id: flows.nodes[0].id })).dropExplanation;
}

function explanation(found) {
  if (found === null) return [tag('p', { class: 'hint' }, 'No single drop of this edge was found to explain.')];
  const evidence = found.evidence.map((one) => tag('li', { title: one.level.toLowerCase() }, one.statement));
  return [
    tag('h4', {}, 'Why the last one was dropped'),
    tag('p', {}, found.conclusion),
    tag('ul', { class: 'evidence' }, ...evidence),
    ...(found.remedy === null ? [] : [tag('p', { class: 'hint' }, found.remedy)]),
  ];
}

function nodeDetail(node, map) {
  const into = map.edges.filter((e) => e.server === node.id);
  const from = map.edges.filter((e) => e.client === node.id);
  const sum = (edges, of) => edges.reduce((total, e) => total + (of(e) ?? 0), 0);
  const path = node.namespace === null ? node.name : `${node.namespace}/${node.name}`;
  const service = state.answer.redMetrics.groups.find((group) => key(group, 'WORKLOAD', 'SERVER') === path);
  const rows = [
    ['Namespace', node.namespace ?? 'none'],
    ...redList(service?.stats),
    ['Callers', count(into.length)],
    ['Calls', count(from.length)],
    ['Drops on the way in', count(sum(into, (e) => e.drops))],
    ['Drops on the way out', count(sum(from, (e) => e.drops))],
  ];
  const query = EXAMPLES.callersOf(node, state.window.last);
  return [tag('h3', {}, shortName(node.name)), definitions(rows), queryButtons(query)];
}

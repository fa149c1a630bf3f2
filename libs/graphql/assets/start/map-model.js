// What of the service map is drawn, and what each part of it says.
import { count, hueOf, percent, shortName } from './format.js';

/** Health probes, the host, the API server: there in every cluster, and rarely the answer. */
const SYSTEM = /^reserved:(?:health|remote-node|host|kube-apiserver)$/;
const WORLD = 'reserved:world';


/**
 * What of the map is drawn. An edge without connections, requests or drops was only seen before address translation;
 * the edge to the real server is there too. The world is drawn twice: who calls in, and who is called outside.
 */
export function mapModel(map, withSystem) {
  const nodes = new Map(map.nodes.map((n) => [n.id, n]));
  const nameOf = (id) => nodes.get(id)?.name ?? id;
  const isSystem = (e) => e.port === 53 || SYSTEM.test(nameOf(e.client)) || SYSTEM.test(nameOf(e.server));
  const happened = (e) => e.connections > 0 || e.red?.requests > 0 || e.drops > 0;
  const edges = map.edges
    .filter((e) => happened(e) && (withSystem || e.drops > 0 || !isSystem(e)))
    .map((e) => ({
      id: e.id,
      client: e.client,
      server: nameOf(e.server) === WORLD ? `${e.server}#out` : e.server,
      weight: e.red?.requests ?? e.connections ?? 0,
      drops: e.drops,
      dropsText: count(e.drops),
      errors: (e.red?.errorRatio ?? 0) > 0.01,
      label: `${nameOf(e.client)} → ${nameOf(e.server)} ${e.protocol}${e.port > 0 ? `/${e.port}` : ''}${edgeNote(e)}`,
    }));
  const stats = nodeStats(map);
  const ids = [...new Set(edges.flatMap((e) => [e.client, e.server]))];
  return { edges, nodes: ids.map((id) => nodeModel(id, nodes.get(id.replace(/#out$/, '')), stats)) };
}

function nodeModel(id, node, stats) {
  const text = nodeText(node, stats.get(node.id));
  return { id, name: shortName(node.name), ...text, hue: hueOf(node.namespace ?? node.kind) };
}

function edgeNote(edge) {
  const red = edge.red
    ? `, ${count(edge.red.requests)} requests, ${percent(edge.red.errorRatio)} errors`
    : '';
  return `${red}${edge.drops > 0 ? `, ${count(edge.drops)} drops` : ''}`;
}

/** What comes in at every node. */
function nodeStats(map) {
  const stats = new Map(map.nodes.map((n) => [n.id, { requests: 0, errors: 0, drops: 0 }]));
  for (const edge of map.edges) {
    const at = stats.get(edge.server);
    if (at === undefined) continue;
    at.requests += edge.red?.requests ?? 0;
    at.errors += edge.red?.errors ?? 0;
    at.drops += edge.drops;
  }
  return stats;
}

function nodeText(node, { requests, errors, drops }) {
  const where = node.namespace ?? node.kind;
  const ratio = requests > 0 ? errors / requests : 0;
  const sub = ratio > 0.01 ? `${where} · ${percent(ratio)} errors` : where;
  const dropped = drops > 0 ? `, ${count(drops)} drops` : '';
  return {
    sub,
    bad: ratio > 0.01,
    label: `${node.name} in ${where}: ${count(requests)} requests, ${percent(ratio)} errors${dropped}`,
  };
}

import { expectedConnections, expectedRed, type CallRecord, type TruthEdge } from '@flowledger/simulator';
import { countedIn } from './drop-truth.js';
import { partyName, type ExactStats } from './red-truth.js';
import type { Asked } from './red-question.js';
import { windowInput, type Span } from './scenarios.js';

/** How coarse the nodes of a map are. */
export type Collapse = 'WORKLOAD' | 'NAMESPACE';

/** What an edge of the map must say. */
export interface EdgeNumbers {
  readonly connections: number;
  readonly drops: number;
  readonly requests: number;
  readonly denied: number;
  readonly errors: number;
}

const NOTHING: EdgeNumbers = { connections: 0, drops: 0, requests: 0, denied: 0, errors: 0 };

type Party = TruthEdge['client'];

function nodeName(party: Party, collapse: Collapse): string | null {
  return collapse === 'NAMESPACE' && party.namespace !== '' ? party.namespace : partyName(party);
}

function keyOf(edge: TruthEdge, collapse: Collapse): string {
  const ends = [nodeName(edge.client, collapse), nodeName(edge.server, collapse)];
  return JSON.stringify([edge.cluster, ...ends, edge.transport, edge.serverPort]);
}

/** Edges of which the truth counts anything; keys as JSON texts. */
export function mapTruth(
  calls: readonly CallRecord[],
  window: Span,
  collapse: Collapse,
): ReadonlyMap<string, EdgeNumbers> {
  const edges = new Map<string, EdgeNumbers>();
  const add = (edge: TruthEdge, more: Partial<EdgeNumbers>): void => {
    const key = keyOf(edge, collapse);
    const sum = edges.get(key) ?? NOTHING;
    edges.set(key, {
      connections: sum.connections + (more.connections ?? 0),
      drops: sum.drops + (more.drops ?? 0),
      requests: sum.requests + (more.requests ?? 0),
      denied: sum.denied + (more.denied ?? 0),
      errors: sum.errors + (more.errors ?? 0),
    });
  };
  for (const { edge, count } of expectedConnections(calls, window)) add(edge, { connections: count });
  for (const { edge, requests, denied, faults } of expectedRed(calls, window, 'edge'))
    add(edge, { requests, denied, errors: faults });
  for (const { call } of countedIn(calls, window, 'drop')) {
    // A frame that is no IP has neither transport nor ports.
    const transport = call.server.workload === '' ? ('unknown' as TruthEdge['transport']) : call.transport;
    add({ ...call, transport }, { drops: call.weight });
  }
  return edges;
}

const QUESTION = `query Map($window: WindowInput, $filters: FlowFilters, $collapse: MapLevel) {
  serviceMap(window: $window, filters: $filters, collapse: $collapse, maxEdges: 5000) {
    nodes { id name namespace cluster kind }
    edges { client server protocol port connections drops red { requests denied errors } }
    truncated
    answered { table }
  }
}`;

interface MapAnswer {
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string;
    readonly namespace: string | null;
    readonly cluster: string;
    readonly kind: string;
  }[];
  readonly edges: readonly {
    readonly client: string;
    readonly server: string;
    readonly protocol: string;
    readonly port: number;
    readonly connections: number | null;
    readonly drops: number;
    readonly red: Pick<ExactStats, 'requests' | 'denied' | 'errors'> | null;
  }[];
  readonly truncated: number;
  readonly answered: { readonly table: string };
}

/** The map of a window: its edges that count anything, keyed as {@link mapTruth} does, and the table that answered. */
export async function askMap(
  api: Asked,
  question: { readonly window: Span; readonly collapse: Collapse; readonly filters?: object },
): Promise<{
  readonly edges: ReadonlyMap<string, EdgeNumbers>;
  readonly table: string;
  readonly all: number;
}> {
  const variables = { ...question, window: windowInput(question.window) };
  const { serviceMap } = await api.ask<{ serviceMap: MapAnswer }>(QUESTION, variables);
  const nodes = new Map(serviceMap.nodes.map((node) => [node.id, node]));
  const nameOf = (id: string): string | null => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`an edge names a node that is not there: ${id}`);
    if (node.kind === 'unknown') return null;
    return node.namespace === null ? node.name : `${node.namespace}/${node.name}`;
  };
  const edges = new Map<string, EdgeNumbers>();
  for (const edge of serviceMap.edges) {
    const cluster = nodes.get(edge.client)?.cluster;
    const key = [cluster, nameOf(edge.client), nameOf(edge.server), edge.protocol, edge.port];
    const { requests = 0, denied = 0, errors = 0 } = edge.red ?? {};
    const numbers = { connections: edge.connections ?? 0, drops: edge.drops, requests, denied, errors };
    if (Object.values(numbers).some((number) => number !== 0)) edges.set(JSON.stringify(key), numbers);
  }
  if (serviceMap.truncated !== 0) throw new Error('the map is cut off');
  return { edges, table: serviceMap.answered.table, all: serviceMap.edges.length };
}

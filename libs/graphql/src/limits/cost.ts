import {
  getArgumentValues,
  GraphQLError,
  Kind,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

const NS_PER_HOUR = 3_600_000_000_000;
const DEFAULT_WINDOW_HOURS = 1;
const MAX_POINTS = 1000;
/** Rows of one unit: reading a thousand rows costs as much as answering one value. */
const ROWS_PER_UNIT = 1000;

/**
 * How many rows a question reads, as a share of the raw flows in its window. Rollups hold a small share of the rows;
 * a filter or a step below a minute may force the raw table, which `filtered` allows for.
 */
const SCANS: Readonly<Record<string, { readonly plain: number; readonly filtered: number }>> = {
  flows: { plain: 0.05, filtered: 1 },
  flow: { plain: 0.05, filtered: 0.05 },
  redMetrics: { plain: 0.05, filtered: 1 },
  drops: { plain: 0.05, filtered: 1 },
  dropExplanation: { plain: 1, filtered: 1 },
  policies: { plain: 0.01, filtered: 0.01 },
  policyAudit: { plain: 0.5, filtered: 0.5 },
  policyRecommendation: { plain: 1, filtered: 1 },
  policyCheck: { plain: 1, filtered: 1 },
  firstSeen: { plain: 2, filtered: 2 },
  serviceMap: { plain: 0.1, filtered: 1 },
  filterHints: { plain: 0.2, filtered: 1 },
  nodes: { plain: 0.2, filtered: 0.2 },
  namespaces: { plain: 0.2, filtered: 0.2 },
  coverage: { plain: 0.01, filtered: 0.01 },
};

/** What an estimate of rows is made from. */
export interface CostBounds {
  /** Raw flows an hour. */
  readonly rowsPerHour: number;
  /** How far back raw flows are kept. */
  readonly rawHours: number;
  readonly windowHours: number;
}

/** The parts of an operation that a cost is made of. */
export interface Operation {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Now, ns since 1970: the end of an open window. */
  readonly nowNs: bigint;
}

/**
 * Requested cost of an operation in units: for every question page × fields × points of a series, plus the rows it is
 * estimated to read / 1000. Arguments are already coerced values; a wrong one counts as its default, since validation
 * reports it.
 */
export function requestedCost(
  { schema, operation, fragments, variables, nowNs }: Operation,
  bounds: CostBounds,
): number {
  const fields = schema.getQueryType()?.getFields() ?? {};
  let cost = 0;
  for (const node of rootFields(operation.selectionSet, fragments)) {
    const definition = fields[node.name.value];
    if (definition === undefined) continue;
    const args = argumentsOf(definition, node, variables);
    const filtered = args['filters'] !== undefined && args['filters'] !== null;
    const scan = SCANS[node.name.value] ?? { plain: 1, filtered: 1 };
    const asked = windowHours(args['window'], nowNs) + windowHours(args['compareTo'], nowNs, 0);
    // A wider window is refused as such by the planner.
    const hours = Math.min(asked, 2 * bounds.windowHours);
    const rolledUp = hours * scan.plain;
    const scanned = filtered
      ? Math.max(rolledUp, Math.min(hours, bounds.rawHours) * scan.filtered)
      : rolledUp;
    const rows = scanned * bounds.rowsPerHour;
    const values = valuesOf(node.selectionSet, fragments, new Map());
    cost += rows / ROWS_PER_UNIT + pageOf(args) * values * pointsOf(args, hours);
  }
  return Math.ceil(cost);
}

function rootFields(
  set: SelectionSetNode,
  fragments: Operation['fragments'],
  depth = 0,
): readonly FieldNode[] {
  if (depth > 20) return [];
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    return inner === undefined ? [] : rootFields(inner.selectionSet, fragments, depth + 1);
  });
}

function valuesOf(
  set: SelectionSetNode | undefined,
  fragments: Operation['fragments'],
  known: Map<string, number>,
): number {
  if (set === undefined) return 1;
  let sum = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const name = selection.name.value;
      const value = known.get(name) ?? valuesOf(fragments[name]?.selectionSet, fragments, known);
      known.set(name, value);
      sum += value;
    } else {
      sum += valuesOf(selection.selectionSet, fragments, known);
    }
  }
  return sum;
}

function argumentsOf(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Operation['variables'],
): Readonly<Record<string, unknown>> {
  try {
    return getArgumentValues(definition, node, variables);
  } catch (error) {
    if (error instanceof GraphQLError) return {};
    throw error;
  }
}

function pageOf(args: Readonly<Record<string, unknown>>): number {
  for (const name of ['first', 'last', 'limit', 'maxEdges']) {
    const value = args[name];
    if (typeof value === 'number' && value > 0) return Math.min(value, 1000);
  }
  return 50;
}

function pointsOf(args: Readonly<Record<string, unknown>>, hours: number): number {
  const step = args['step'];
  if (typeof step !== 'bigint' || step <= 0n) return 1;
  return Math.min(MAX_POINTS, Math.max(1, (hours * NS_PER_HOUR) / Number(step)));
}

function windowHours(window: unknown, nowNs: bigint, fallback = DEFAULT_WINDOW_HOURS): number {
  if (typeof window !== 'object' || window === null) return fallback;
  const { from, to, last } = window as Record<string, unknown>;
  if (typeof last === 'bigint') return Number(last) / NS_PER_HOUR;
  if (typeof from !== 'bigint') return fallback;
  const end = typeof to === 'bigint' ? to : nowNs;
  return Math.max(0, Number(end - from) / NS_PER_HOUR);
}

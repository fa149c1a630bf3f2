import type { StoreUser } from './users.js';

/** Table functions that make rows out of their arguments alone. */
const TABLE_FUNCTIONS = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'values',
  'view',
  'generateseries',
  'generate_series',
  'null',
]);

/**
 * Scalar functions that reach files, the network or the machine, or hold a thread. Functions of the engine's own
 * categories AI, Introspection and Machine Learning are added when the engine opens.
 */
export const DENIED_FUNCTIONS: readonly string[] = [
  'file',
  'catboostEvaluate',
  'hasColumnInTable',
  'joinGet',
  'joinGetOrNull',
  'showCertificate',
  'sleep',
  'sleepEachRow',
  'getServerSetting',
  'getServerPort',
  'getMacro',
  'getClientHTTPHeader',
  'globalVariable',
  'tcpPort',
  'serverUUID',
  'fuzzQuery',
  'filesystemAvailable',
  'filesystemCapacity',
  'filesystemUnreserved',
];

/**
 * Nodes of the engine's syntax tree that a read statement may consist of. Anything else is refused unseen; `APPLY` is
 * (its function's name is not in the tree).
 */
const NODES = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Identifier',
  'TableIdentifier',
  'Literal',
  'Function',
  'QueryParameter',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsRegexpMatcher',
  'ColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'QualifiedColumnsListMatcher',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'Subquery',
  'WithElement',
  'OrderByElement',
  'InterpolateElement',
  'FillModifier',
  'SampleRatio',
  'WindowDefinition',
  'WindowListElement',
  'Set',
  'DataType',
  'NameTypePair',
  'DescribeQuery',
  'ShowTables',
  'ShowFunctions',
  'ShowCreateTableQuery',
  'ShowCreateViewQuery',
  'ExistsTableQuery',
  'Explain',
]);

const ROOTS = new Set([
  'SelectWithUnionQuery',
  'DescribeQuery',
  'ShowTables',
  'ShowFunctions',
  'ShowCreateTableQuery',
  'ShowCreateViewQuery',
  'ExistsTableQuery',
  'Explain',
]);
const EXPLAIN_KINDS = /^EXPLAIN(?: (?:AST|SYNTAX|QUERY TREE|PIPELINE|ESTIMATE|PLAN))?(?: \(|$)/;

interface Node {
  readonly depth: number;
  readonly type: string;
  /** Text behind the type, children count removed. */
  readonly rest: string;
}

const LINE = /^( *)([A-Z][A-Za-z]*(?:::[A-Za-z]+)?)(?: (.*))?$/;

function parseLine(line: string): Node | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  return {
    depth: match[1]?.length ?? 0,
    type: match[2] ?? '',
    rest: (match[3] ?? '').replace(/ ?\(children \d+\)$/, ''),
  };
}

/** The rules of one read user, with what the engine told about itself. */
export interface ReadRules {
  readonly user: StoreUser;
  /** Lower case. */
  readonly deniedFunctions: ReadonlySet<string>;
  /** Every database of the engine, to tell `database.table` from `table.column`. */
  readonly databases: ReadonlySet<string>;
}

function tableRefusal(name: string, rules: ReadRules): string | null {
  const dot = name.indexOf('.');
  if (dot === -1 || name.startsWith('.')) return null;
  const database = name.slice(0, dot);
  if (rules.user.databases.includes(database)) return null;
  if (database === 'system' && rules.user.systemTables.includes(name.slice(dot + 1))) return null;
  return `table ${name}`;
}

/** An identifier in an expression may still be a table (`x IN db.table`), so its first part must be no foreign database. */
function identifierRefusal(name: string, rules: ReadRules): string | null {
  const dot = name.indexOf('.');
  return dot !== -1 && rules.databases.has(name.slice(0, dot)) ? tableRefusal(name, rules) : null;
}

function functionRefusal(name: string, parent: Node | undefined, rules: ReadRules): string | null {
  const lower = name.toLowerCase();
  if (parent?.type === 'TableExpression') return TABLE_FUNCTIONS.has(lower) ? null : `table function ${name}`;
  return rules.deniedFunctions.has(lower) ? `function ${name}` : null;
}

function nodeRefusal(node: Node, parent: Node | undefined, rules: ReadRules): string | null {
  if (!NODES.has(node.type)) return `${node.type} in a query`;
  if (parent === undefined && !ROOTS.has(node.type)) return `${node.type} as a query`;
  const name = node.rest.replace(/ \(alias [^]*\)$/, '');
  if (node.type === 'TableIdentifier') return tableRefusal(name, rules);
  if (node.type === 'Identifier') return identifierRefusal(name, rules);
  if (node.type === 'Function') return functionRefusal(name, parent, rules);
  // The engine refuses them in a readonly query, but not in a subquery of it.
  if (node.type === 'Set' && parent?.type !== 'Explain') return 'SETTINGS in a query';
  if (node.type === 'Explain' && !EXPLAIN_KINDS.test(node.rest)) return `${node.rest} as a query`;
  if (/^(?:ShowCreate|Exists)/.test(node.type)) {
    const [database, table] = node.rest.split(' ');
    return table === undefined || database === '' ? null : tableRefusal(`${database}.${table}`, rules);
  }
  return null;
}

/**
 * Judges a read statement by the engine's own syntax tree (lines of `EXPLAIN AST`): what it is made of, which tables,
 * table functions and functions it names. Returns what is refused, or null. Allow-lists, so a node or table function
 * of a newer engine is refused until someone has looked at it. Pure.
 */
export function readRefusal(lines: readonly string[], rules: ReadRules): string | null {
  const path: Node[] = [];
  let roots = 0;
  for (const line of lines) {
    const node = parseLine(line);
    if (node === null) return 'a name with a line end';
    while ((path.at(-1)?.depth ?? -1) >= node.depth) path.pop();
    const parent = path.at(-1);
    if (parent === undefined && ++roots > 1) return 'a name with a line end';
    const refusal = nodeRefusal(node, parent, rules);
    if (refusal !== null) return refusal;
    path.push(node);
  }
  return roots === 1 ? null : 'an empty query';
}

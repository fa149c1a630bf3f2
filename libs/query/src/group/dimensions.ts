import { DROP_REASON, enumName, TRAFFIC_DIRECTION } from '@flowledger/model';
import { sideColumn } from '../history/history-join.js';
import type { HistoryLookup } from '../history/history-join.js';
import { serviceColumns } from '../history/was-service.js';
import { qualifiedName, unnamed, workloadColumns } from '../history/was-workload.js';
import { done, refuse } from '../result.js';
import type { Result } from '../result.js';

/** What answers can be grouped by. */
export type Dimension =
  | 'CLUSTER'
  | 'NAMESPACE'
  | 'WORKLOAD'
  | 'POD'
  | 'SERVICE'
  | 'NODE'
  | 'FQDN'
  | 'ENDPOINT'
  | 'STATUS_CLASS'
  | 'PROTOCOL'
  | 'PORT'
  | 'DROP_REASON'
  | 'DIRECTION'
  | 'POLICY'
  | 'ZONE';

/** Whose value of a dimension: the client's or the server's; NONE for what belongs to the call itself. */
export type Side = 'CLIENT' | 'SERVER' | 'NONE';

/** One grouping; side SERVER when absent. */
export interface GroupBy {
  readonly dimension: Dimension;
  readonly side?: Side | null;
}

/** One part of a group's key. `value` is null where the records do not say. */
export interface KeyPart {
  readonly dimension: Dimension;
  readonly side: Side;
  readonly value: string | null;
  /** The value was derived (a canonical workload), not sent. */
  readonly inferred: boolean;
}

/** The questions that group. */
export type Question = 'red' | 'drops';

/** A grouping turned into SQL text expressions; `rollup` is null when the rollup lacks the columns. */
export interface GroupKey {
  readonly dimension: Dimension;
  readonly side: Side;
  readonly raw: string;
  readonly rollup: string | null;
  /** `raw` reads the endpoint history: `flows` must be joined with it. */
  readonly history?: HistoryLookup;
  /** With `history`: 1 for rows whose value came from it. */
  readonly inferred?: string;
  /** With `history` and a rollup: the rows that the rollup cannot answer, as a condition on both. */
  readonly unnamed?: string;
  /** The same key with the endpoint history, which takes its place when rows without a value were found. */
  readonly refined?: RefinedKey;
}

/** What the endpoint history changes of a key. */
export type RefinedKey = Pick<GroupKey, 'raw' | 'history' | 'inferred' | 'unnamed'>;

type KeyTexts = Omit<GroupKey, 'dimension' | 'side'>;

const MAX_GROUPINGS = 4;

function sided(dimension: Dimension, side: Side): KeyTexts | undefined {
  const party = side === 'CLIENT' ? 'client' : 'server';
  const endpoint = (what: string): string => sideColumn(party, what);
  switch (dimension) {
    case 'NAMESPACE':
      return { raw: `${party}_namespace`, rollup: `${party}_namespace` };
    case 'WORKLOAD': {
      const text = qualifiedName(`${party}_namespace`, `${party}_workload`);
      const was = workloadColumns(party);
      const refined = {
        raw: was.qualified,
        history: { party, what: 'workload' },
        inferred: was.inferred,
        unnamed: unnamed(party),
      } as const;
      return { raw: text, rollup: text, refined };
    }
    case 'POD':
      return { raw: qualifiedName(endpoint('namespace'), endpoint('pod')), rollup: null };
    case 'SERVICE': {
      const { namespace, name, inferred } = serviceColumns(party);
      return {
        raw: qualifiedName(namespace, name),
        rollup: null,
        history: { party, what: 'service' },
        inferred,
      };
    }
    case 'FQDN':
      return { raw: `arrayElement(${endpoint('names')}, 1)`, rollup: null };
    default:
      return undefined;
  }
}

function same(text: string): KeyTexts {
  return { raw: text, rollup: text };
}

const PORT = same("if(server_port = 0, '', toString(server_port))");
const L4_NAMES =
  "transform(l4_protocol, [1, 2, 3, 4, 5, 6, 7], ['TCP', 'UDP', 'ICMPv4', 'ICMPv6', 'SCTP', 'VRRP', 'IGMP'], '')";
const STATUS_CLASS =
  "multiIf(l7_type = 1, 'denied', l7_kind = 2 AND http_code != 0, concat(toString(intDiv(http_code, 100)), 'xx'), l7_kind = 1, concat('rcode ', toString(dns_rcode)), l7_kind = 3, if(kafka_error_code = 0, 'ok', 'error'), '')";

const UNSIDED: Readonly<Record<Question, Partial<Record<Dimension, KeyTexts>>>> = {
  red: {
    CLUSTER: same('cluster'),
    NODE: { raw: 'node', rollup: null },
    ENDPOINT: same('endpoint'),
    STATUS_CLASS: { raw: STATUS_CLASS, rollup: null },
    PROTOCOL: same("transform(l7_kind, [1, 2, 3], ['dns', 'http', 'kafka'], '')"),
    PORT,
    DIRECTION: { raw: 'toString(toUInt8(traffic_direction))', rollup: 'toString(reporter)' },
  },
  drops: {
    CLUSTER: same('cluster'),
    NODE: same('node'),
    PROTOCOL: same(L4_NAMES),
    PORT,
    DROP_REASON: same('toString(drop_reason)'),
    DIRECTION: same('toString(traffic_direction)'),
    POLICY: { raw: 'twin_policies', rollup: null },
  },
};

const SIDED: readonly Dimension[] = ['NAMESPACE', 'WORKLOAD', 'POD', 'SERVICE', 'FQDN'];

function groupKey(group: GroupBy, question: Question): GroupKey | undefined {
  const { dimension } = group;
  const side = group.side ?? 'SERVER';
  if (SIDED.includes(dimension)) {
    const found = side === 'NONE' ? undefined : sided(dimension, side);
    return found === undefined ? undefined : { dimension, side, ...found };
  }
  const found = UNSIDED[question][dimension];
  return found === undefined ? undefined : { dimension, side: 'NONE', ...found };
}

/**
 * Turns groupings into keys. Refuses UNSUPPORTED_GROUPING: a dimension the question cannot have (drop reasons of calls),
 * side NONE where there are two sides, more than four groupings, or one given twice.
 */
export function groupKeys(groups: readonly GroupBy[], question: Question): Result<readonly GroupKey[]> {
  if (groups.length > MAX_GROUPINGS)
    return refuse('UNSUPPORTED_GROUPING', 'groupBy', `at most ${MAX_GROUPINGS} groupings`);
  const keys: GroupKey[] = [];
  for (const [index, group] of groups.entries()) {
    const key = groupKey(group, question);
    const field = `groupBy[${index}]`;
    const known = [...SIDED, ...Object.keys(UNSIDED[question])].join(', ');
    if (key === undefined)
      return refuse('UNSUPPORTED_GROUPING', field, `one of ${known}; with a side where it has two`);
    if (keys.some((other) => other.raw === key.raw))
      return refuse('UNSUPPORTED_GROUPING', field, 'each grouping once');
    keys.push(key);
  }
  return done(keys);
}

function shown(key: GroupKey, text: string): string | null {
  if (text === '') return null;
  if (key.dimension === 'DROP_REASON') return enumName(DROP_REASON, Number(text));
  if (key.dimension === 'DIRECTION') return enumName(TRAFFIC_DIRECTION, Number(text));
  return text;
}

/** Rows say in `shown_inferred_<key>` whether a value of the group came from the endpoint history. */
export type InferredCells = Readonly<Record<`shown_inferred_${number}`, number | undefined>>;

/** Key parts of a group from the texts that its key expressions gave; `rows` are those of the group. */
export function keyParts(
  keys: readonly GroupKey[],
  texts: readonly string[],
  rows: readonly InferredCells[],
): readonly KeyPart[] {
  return keys.map((key, index) => {
    const text = texts[index] ?? '';
    const value = shown(key, text);
    const canonical = key.dimension === 'WORKLOAD' && value !== null && !text.startsWith('reserved:');
    const inferred = canonical || rows.some((row) => row[`shown_inferred_${index + 1}`] === 1);
    return { dimension: key.dimension, side: key.side, value, inferred };
  });
}

/** A group's id: its key texts, so that samples of a group can be asked for with nothing but the id. */
export function groupId(texts: readonly string[]): string {
  return Buffer.from(JSON.stringify(texts)).toString('base64url');
}

/** Key texts behind a group's id; undefined when it is none of ours. */
export function parseGroupId(id: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
    const texts: unknown[] = Array.isArray(value) ? value : [undefined];
    return texts.every((text) => typeof text === 'string') ? texts : undefined;
  } catch {
    return undefined;
  }
}

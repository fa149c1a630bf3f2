import {
  flowFiltersFromProto,
  flowFilterToProto,
  type FilterJson,
  type FlowExportRequest,
  type FlowFilters,
  type Result,
} from '@flowledger/query';

const PARAMETERS = ['since', 'until', 'first', 'last', 'filters'];

/** The filters of an export, as `--print-raw-filters` prints them. */
export interface ExportFilters {
  readonly allowlist?: readonly FilterJson[];
  readonly denylist?: readonly FilterJson[];
}

function refuse<T>(field: string, hint: string): Result<T> {
  return { ok: false, error: { code: 'BAD_FILTER', field, hint } };
}

/**
 * Reads the query of an export: `since` and `until` (ns since 1970, decimal; all that is kept, until now), `first` or
 * `last` (a number of flows; all), `filters` (JSON `{"allowlist": […], "denylist": […]}` of FlowFilters by proto name).
 * Refuses with the name of the parameter, also unknown and repeated ones.
 */
export function readExportQuery(
  query: URLSearchParams,
  keptFromNs: bigint,
  nowNs: bigint,
): Result<FlowExportRequest> {
  const names = [...query.keys()];
  const wrong = names.find((name, at) => !PARAMETERS.includes(name) || names.indexOf(name) !== at);
  if (wrong !== undefined) return refuse(wrong, `each of ${PARAMETERS.join(', ')} once, nothing else`);
  const numbers = ['since', 'until', 'first', 'last'];
  const odd = numbers.find((name) => query.has(name) && !/^\d{1,19}$/.test(query.get(name) ?? ''));
  if (odd !== undefined) return refuse(odd, 'a whole number');
  if (query.has('first') && query.has('last')) return refuse('last', 'first or last, not both');
  const filters = filtersOf(query.get('filters'));
  if (!filters.ok) return filters;
  const count = query.get('first') ?? query.get('last');
  return {
    ok: true,
    value: {
      window: {
        fromNs: BigInt(query.get('since') ?? keptFromNs),
        toNs: BigInt(query.get('until') ?? nowNs),
      },
      filters: filters.value,
      count: count === null ? null : Number(count),
      first: query.has('first'),
    },
  };
}

function filtersOf(text: string | null): Result<FlowFilters> {
  if (text === null) return { ok: true, value: {} };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return refuse('filters', 'JSON');
  }
  if (!isFilters(parsed)) return refuse('filters', '{"allowlist": […], "denylist": […]}');
  const lists: Uint8Array[][] = [];
  for (const name of ['allowlist', 'denylist'] as const) {
    const encoded: Uint8Array[] = [];
    for (const [index, filter] of (parsed[name] ?? []).entries()) {
      const bytes = flowFilterToProto(filter, `filters.${name}[${index}]`);
      if (!bytes.ok) return bytes;
      encoded.push(bytes.value);
    }
    lists.push(encoded);
  }
  return flowFiltersFromProto(lists[0] ?? [], lists[1] ?? []);
}

function isFilters(value: unknown): value is ExportFilters {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, list]) =>
      ['allowlist', 'denylist'].includes(name) && Array.isArray(list) && list.every((one) => isObject(one)),
  );
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

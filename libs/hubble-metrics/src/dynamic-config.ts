import {
  compilePredicate,
  flowFiltersFromProto,
  flowFilterToProto,
  type FilterJson,
  type FlowPredicate,
} from '@flowledger/query';
import { parseDocument } from 'yaml';
import {
  checkedTogether,
  invalidMetric,
  makeHandler,
  type GivenOption,
  type HandlerConfig,
} from './metric-config.js';

const SETTING = 'hubbleMetrics.configFile';
/** Aliases of a file that are followed: a few lines must not grow to gigabytes. */
const MAX_ALIASES = 50;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads Hubble's dynamic metrics configuration (YAML; hubble note 5.1):
 *
 *     metrics:
 *       - name: flow
 *         contextOptions:
 *           - name: sourceContext
 *             values: [workload, reserved-identity]
 *         includeFilters:
 *           - source_pod: ["shop/"]
 *         excludeFilters:
 *           - destination_pod: ["kube-system/"]
 *
 * Filters are FlowFilters in protobuf JSON, with the meaning they have everywhere: a flow counts when one of the
 * include filters matches, or there is none, and no exclude filter does. Throws CONFIG_INVALID with the place; an
 * unknown key is refused, because a filter that is not applied makes another number. Pure.
 */
export function parseDynamicConfig(text: string): readonly HandlerConfig[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw invalidMetric(SETTING, error.message.split('\n')[0] ?? 'not YAML');
  const root = fieldsOf(SETTING, plain(document), ['metrics']);
  return checkedTogether(
    SETTING,
    listOf(`${SETTING}: metrics`, root['metrics']).map((value, index) =>
      metricOf(`${SETTING}: metrics[${index}]`, value),
    ),
  );
}

function plain(document: { toJS(options: { maxAliasCount: number }): unknown }): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    throw invalidMetric(SETTING, 'an alias without an anchor, or too many aliases');
  }
}

function metricOf(place: string, value: unknown): HandlerConfig {
  const fields = fieldsOf(place, value, ['name', 'contextOptions', 'includeFilters', 'excludeFilters']);
  const options = listOf(`${place}.contextOptions`, fields['contextOptions']).map((option, index) =>
    optionOf(`${place}.contextOptions[${index}]`, option),
  );
  const handler = makeHandler(place, textOf(`${place}.name`, fields['name']), options);
  const include = listOf(`${place}.includeFilters`, fields['includeFilters']);
  const exclude = listOf(`${place}.excludeFilters`, fields['excludeFilters']);
  if (include.length + exclude.length === 0) return handler;
  return { ...handler, passes: predicateOf(place, include, exclude) };
}

function optionOf(place: string, value: unknown): GivenOption {
  const fields = fieldsOf(place, value, ['name', 'values']);
  return {
    name: textOf(`${place}.name`, fields['name']),
    values: listOf(`${place}.values`, fields['values']).map((word) => String(word)),
  };
}

function predicateOf(place: string, include: readonly unknown[], exclude: readonly unknown[]): FlowPredicate {
  const encoded = (list: readonly unknown[], name: string): readonly Uint8Array[] =>
    list.map((value, index) => {
      const at = `${place}.${name}[${index}]`;
      const bytes = flowFilterToProto(anyFields(at, value), at);
      if (!bytes.ok) throw invalidMetric(bytes.error.field, bytes.error.hint);
      return bytes.value;
    });
  const filters = flowFiltersFromProto(
    encoded(include, 'includeFilters'),
    encoded(exclude, 'excludeFilters'),
  );
  const predicate = filters.ok ? compilePredicate(filters.value) : filters;
  if (predicate.ok) return predicate.value;
  const { field, hint } = predicate.error;
  const path = field.replace('filters.allow', 'includeFilters').replace('filters.deny', 'excludeFilters');
  throw invalidMetric(`${place}.${path}`, hint);
}

function fieldsOf(place: string, value: unknown, known: readonly string[]): Fields {
  const fields = anyFields(place, value);
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw invalidMetric(place, `${unknown} is none of ${known.join(', ')}`);
  return fields;
}

function anyFields(place: string, value: unknown): FilterJson {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidMetric(place, 'keys with values are expected here');
  return { ...value };
}

function listOf(place: string, value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidMetric(place, 'a list is expected here');
  return value;
}

function textOf(place: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidMetric(place, 'a text is expected here');
  return value;
}

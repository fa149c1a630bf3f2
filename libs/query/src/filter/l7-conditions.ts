import { allOf, anyOf, ELSEWHERE, refused, sql } from './condition.js';
import type { Condition } from './condition.js';
import type { ListCompiler, FilterScope } from './filter-scope.js';
import type { HeaderValue } from './flow-filter.js';
import { goRegex, regexFault } from './regex-check.js';

const DNS = sql('l7_kind = 1');
const HTTP = sql('l7_kind = 2');

/** The path of a URL, absolute or not, before decoding: Go's rule, not the engine's `path()`, which wants a scheme. */
const RAW_PATH = "extract(http_url, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)')";
/** Go refuses such a URL, so its path matches nothing. */
const BAD_ESCAPE = `match(${RAW_PATH}, '%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)')`;

function l7(scope: FilterScope, kind: Condition, make: () => Condition): Condition {
  return scope.columns.raw ? allOf([kind, make()]) : ELSEWHERE;
}

function matches(text: string, patterns: readonly string[], scope: FilterScope): Condition {
  return anyOf(
    patterns.map((pattern) => {
      const fault = regexFault(pattern);
      if (fault !== undefined) return refused(`a regular expression in RE2 syntax; ${fault}`);
      return sql(`match(${text}, ${scope.binder.bind('String', goRegex(pattern))})`);
    }),
  );
}

/** RE2 on the DNS name asked for. */
export const dnsQuery: ListCompiler<string> = (values, scope) =>
  l7(scope, DNS, () => matches('dns_query', values, scope));

/** Exact codes, and prefixes with a plus. Requests have no code and never match. */
export const httpStatusCode: ListCompiler<string> = (values, scope) => {
  if (!values.every((value) => /^(?:[1-5][0-9]{2}|[1-5][0-9]?\+)$/.test(value)))
    return refused('a status code such as 404, or a prefix such as 5+ or 40+');
  const exact = values.filter((value) => !value.endsWith('+')).map(Number);
  const prefixes = values.filter((value) => value.endsWith('+')).map((value) => value.slice(0, -1));
  return l7(scope, HTTP, () =>
    anyOf([
      ...(exact.length > 0 ? [sql(`http_code IN ${scope.binder.bind('Array(UInt32)', exact)}`)] : []),
      ...prefixes.map((prefix) =>
        sql(`startsWith(toString(http_code), ${scope.binder.bind('String', prefix)})`),
      ),
    ]),
  );
};

/** HTTP methods in any case. */
export const httpMethod: ListCompiler<string> = (values, scope) =>
  l7(scope, HTTP, () =>
    sql(
      `upper(http_method) IN ${scope.binder.bind(
        'Array(String)',
        values.map((value) => value.toUpperCase()),
      )}`,
    ),
  );

/** RE2 on the decoded path. */
export const httpPath: ListCompiler<string> = (values, scope) =>
  l7(scope, HTTP, () =>
    allOf([sql(`NOT ${BAD_ESCAPE}`), matches(`decodeURLComponent(${RAW_PATH})`, values, scope)]),
  );

/** RE2 on the whole URL. */
export const httpUrl: ListCompiler<string> = (values, scope) =>
  l7(scope, HTTP, () => matches('http_url', values, scope));

/** A header with exactly this key and value, in any position. */
export const httpHeader: ListCompiler<HeaderValue> = (values, scope) =>
  l7(scope, HTTP, () =>
    anyOf(
      values.map((header) => {
        const key = scope.binder.bind('String', header.key);
        const value = scope.binder.bind('String', header.value);
        return sql(
          `arrayExists((k, v) -> k = ${key} AND v = ${value}, http_header_keys, http_header_values)`,
        );
      }),
    ),
  );

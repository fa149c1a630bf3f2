/** Scheme and authority of a URL, and its path before decoding: Go's rule, not the engine's `path()`. */
const RAW_PATH = String.raw`^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)`;
/** A percent sign without two hex digits: Go refuses such a URL, so its path matches nothing. */
const BAD_ESCAPE = '%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)';

const rawPath = new RegExp(RAW_PATH.replaceAll('/', '\\/'));
const badEscape = new RegExp(BAD_ESCAPE);

/** SQL: the decoded path of a URL column. */
export function decodedPath(column: string): string {
  return `decodeURLComponent(extract(${column}, '${RAW_PATH}'))`;
}

/** SQL: the URL of a column cannot be parsed. */
export function unreadablePath(column: string): string {
  return `match(extract(${column}, '${RAW_PATH}'), '${BAD_ESCAPE}')`;
}

/** The decoded path of a URL; undefined when it cannot be parsed. Bytes that are no UTF-8 read as U+FFFD. */
export function pathOf(url: string): string | undefined {
  const raw = rawPath.exec(url)?.[1] ?? '';
  if (badEscape.test(raw)) return undefined;
  if (!raw.includes('%')) return raw;
  const bytes = raw.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escaped) =>
    Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  return bytes;
}

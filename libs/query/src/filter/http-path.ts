/** A scheme in front of a URL. */
const SCHEME = '^[a-zA-Z][a-zA-Z0-9+.-]*:';
/** Path behind a scheme; there is none when what follows is opaque (`mailto:x`). */
const ABSOLUTE = `${SCHEME}(?://[^/?#]*)?((?:/[^?#]*)?)`;
const RELATIVE = '^(?://[^/?#]*)?([^?#]*)';
/** What Go refuses, so that it has no path: control characters, a colon in the first segment without a scheme. */
const CONTROL = '^[^#]*[\\x00-\\x1f\\x7f]';
const COLON = '^[^/?#:]*:';
/** A percent sign without two hex digits. */
const BAD_ESCAPE = '%(?:[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?$)';

const scheme = new RegExp(SCHEME);
const absolute = new RegExp(ABSOLUTE);
const relative = new RegExp(RELATIVE);
const control = new RegExp(CONTROL);
const colon = new RegExp(COLON);
const badEscape = new RegExp(BAD_ESCAPE);

/** A pattern as an SQL text. */
function quoted(pattern: string): string {
  return `'${pattern.replaceAll('\\', '\\\\')}'`;
}

function rawPath(column: string): string {
  const [whole, rest] = [ABSOLUTE, RELATIVE].map((one) => `extract(${column}, ${quoted(one)})`);
  return `if(match(${column}, ${quoted(SCHEME)}), ${whole}, ${rest})`;
}

/** SQL: the decoded path of a URL column, by the rules of Go's `url.Parse` and not the engine's `path()`. */
export function decodedPath(column: string): string {
  return `decodeURLComponent(${rawPath(column)})`;
}

/** SQL: the URL of a column cannot be parsed, so its path matches nothing. */
export function unreadablePath(column: string): string {
  const has = (text: string, pattern: string) => `match(${text}, ${quoted(pattern)})`;
  return `(${has(column, CONTROL)} OR (${has(column, COLON)} AND NOT ${has(column, SCHEME)}) OR ${has(rawPath(column), BAD_ESCAPE)})`;
}

/** The decoded path of a URL; undefined when it cannot be parsed. Bytes that are no UTF-8 read as U+FFFD. */
export function pathOf(url: string): string | undefined {
  const hasScheme = scheme.test(url);
  if (control.test(url) || (!hasScheme && colon.test(url))) return undefined;
  const raw = (hasScheme ? absolute : relative).exec(url)?.[1] ?? '';
  if (badEscape.test(raw)) return undefined;
  if (!raw.includes('%')) return raw;
  return raw.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escaped) =>
    Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

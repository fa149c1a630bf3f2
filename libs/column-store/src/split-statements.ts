/** Length of a quoted text that starts at `at`; to the end when it never closes (the server will say so). */
function quotedLength(sql: string, at: number): number {
  const quote = sql[at];
  for (let i = at + 1; i < sql.length; i++) {
    if (sql[i] === '\\') i++;
    else if (sql[i] === quote && sql[i + 1] === quote) i++;
    else if (sql[i] === quote) return i + 1 - at;
  }
  return sql.length - at;
}

/** Length of a comment that starts at `at`, or 0. Block comments nest, as in ClickHouse. */
function commentLength(sql: string, at: number): number {
  const line = /(?:--|\/\/|# |#!)[^\n]*/y;
  line.lastIndex = at;
  if (line.test(sql)) return line.lastIndex - at;
  if (!sql.startsWith('/*', at)) return 0;
  let depth = 0;
  for (let i = at; i < sql.length; i++) {
    const two = sql.slice(i, i + 2);
    if (two !== '/*' && two !== '*/') continue;
    depth += two === '/*' ? 1 : -1;
    i++;
    if (depth === 0) return i + 1 - at;
  }
  return sql.length - at;
}

/**
 * Splits a script into statements at semicolons outside quotes and comments. Comments are dropped, so that a comment
 * edited in a statement's middle cannot change what the server stores as its text; empty statements are dropped too.
 * Pure.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let current = '';
  for (let at = 0; at < script.length;) {
    const comment = commentLength(script, at);
    const c = script[at] ?? '';
    if (comment > 0) {
      at += comment;
    } else if (c === "'" || c === '"' || c === '`') {
      const length = quotedLength(script, at);
      current += script.slice(at, at + length);
      at += length;
    } else {
      if (c === ';') {
        statements.push(current.trim());
        current = '';
      } else current += c;
      at++;
    }
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== '');
}

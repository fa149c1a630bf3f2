/** HTTP status a ClickHouse server answers for an error code (`exceptionCodeToHTTPStatus`); everything else is 500. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [194, 401],
  ...[192, 193, 512, 516, 497].map((code): [number, number] => [code, 403]),
  ...[
    6, 7, 8, 15, 25, 26, 27, 34, 36, 38, 41, 44, 53, 62, 72, 117, 167, 168, 321, 376, 427, 441, 675, 676,
  ].map((code): [number, number] => [code, 400]),
  ...[46, 47, 50, 56, 60, 63, 73, 78, 81, 106, 115, 336, 511].map((code): [number, number] => [code, 404]),
  [159, 408],
  [381, 411],
  [229, 413],
  [48, 501],
  [76, 503],
  [209, 503],
  [439, 503],
]);

/**
 * An error as ClickHouse reports it: number, name and text. Raised by the engine or by this endpoint under the code a
 * server would use, so that one client maps both.
 */
export class ClickHouseError extends Error {
  readonly code: number;
  readonly codeName: string;
  /** Overrides the status that belongs to the code; used for limits that only this endpoint has. */
  readonly status: number;

  constructor(code: number, codeName: string, text: string, status?: number) {
    super(text);
    this.name = 'ClickHouseError';
    this.code = code;
    this.codeName = codeName;
    this.status = status ?? STATUS.get(code) ?? 500;
  }

  /** Body text as a server writes it, final line end included. */
  body(version: string): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.codeName}) (version ${version})\n`;
  }
}

const PREFIX = /Code: (\d+)\. DB::Exception: /;
const SUFFIX = /^(.*?)\s*\(([A-Z][A-Z0-9_]+)\)\s*(?:\(version [^)]*\)\.?\s*\(?[A-Z_]*\)?)?\s*$/s;

/** Reads any thrown value as a {@link ClickHouseError}; what has no code becomes 1002 UNKNOWN_EXCEPTION. */
export function toClickHouseError(thrown: unknown): ClickHouseError {
  if (thrown instanceof ClickHouseError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const prefix = PREFIX.exec(text);
  if (prefix === null) return new ClickHouseError(1002, 'UNKNOWN_EXCEPTION', text);
  let rest = text.slice(prefix.index + prefix[0].length);
  const nested = PREFIX.exec(rest);
  if (nested !== null && nested.index === 0) rest = rest.slice(nested[0].length);
  const suffix = SUFFIX.exec(rest);
  return new ClickHouseError(Number(prefix[1]), suffix?.[2] ?? 'UNKNOWN_EXCEPTION', suffix?.[1] ?? rest);
}

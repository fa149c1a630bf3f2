/** What the loader is about to write, kept as commit metadata so that a successor can find the same batch again. */
export interface LoadIntent {
  readonly from: bigint;
  /** Inclusive. */
  readonly to: bigint;
  /** Rows by table; a rebuilt batch with other counts was projected by other code. */
  readonly counts: Readonly<Record<string, number>>;
  /** First and last minute of the rows, s since 1970; 0 when there are none. */
  readonly minutes: readonly [number, number];
}

const VERSION = 1;

/** Text of at most 4 KiB for the log's commit metadata. */
export function encodeIntent(intent: LoadIntent): string {
  const { from, to, counts, minutes } = intent;
  return JSON.stringify({ v: VERSION, f: from.toString(), t: to.toString(), n: counts, m: minutes });
}

/** Reads the metadata back; undefined for none and for what another version wrote (offsets in the rows decide then). */
export function decodeIntent(metadata: string): LoadIntent | undefined {
  if (metadata === '') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(metadata);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { v, f, t, n, m } = parsed as Readonly<Record<string, unknown>>;
  if (v !== VERSION || !isOffset(f) || !isOffset(t) || !isCounts(n) || !Array.isArray(m)) return undefined;
  const minutes = [Number(m[0] ?? 0), Number(m[1] ?? 0)] as const;
  return { from: BigInt(f), to: BigInt(t), counts: n, minutes };
}

function isOffset(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value);
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return (
    typeof value === 'object' && value !== null && Object.values(value).every((n) => typeof n === 'number')
  );
}

/** Whether a rebuilt batch is the one that was announced, so that its insert token may be used again. */
export function sameCounts(a: LoadIntent['counts'], b: LoadIntent['counts']): boolean {
  const tables = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...tables].every((table) => (a[table] ?? 0) === (b[table] ?? 0));
}

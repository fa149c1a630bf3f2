import type { TrafficShape } from './made-flows.js';

/** Copies of one moment lie within this time of it, so that they are no neighbours of what they were copied from. */
const SCATTERED_NS = 7_200_000_000_000n;
/** Offsets of copies begin here: no log of a bench is as long. */
const COPIED = 2 ** 40;
/** Statements of one copy, so that none takes minutes. */
const PIECES = 4;

/**
 * Statements that copy the flows of a store until there are `wanted`, each as many as there were at first: same pods, edges
 * and paths at other times of the same day, with other uuids, places in the log, client ports and latencies, so that
 * neither a column nor an index finds a run of equals.
 */
export function planFlowCopies(shape: TrafficShape, wanted: number): readonly string[] {
  const copies = Math.ceil(wanted / shape.flows) - 1;
  const from = BigInt(shape.fromMs) * 1_000_000n;
  const span = BigInt(shape.spanMs) * 1_000_000n;
  return Array.from({ length: copies * PIECES }, (_, n) => {
    const [copy, piece] = [Math.floor(n / PIECES) + 1, n % PIECES];
    const chance = `cityHash64(made._lo, made._li, ${copy})`;
    const moved = `(toUnixTimestamp64Nano(made.bucket_time) - ${from} + ${chance} % ${SCATTERED_NS}) % ${span}`;
    const [first, end] = [piece, piece + 1].map((at) => from + (span * BigInt(at)) / BigInt(PIECES));
    return `INSERT INTO flows SELECT * REPLACE (
  toUInt64(made._lo + ${copy} * ${COPIED}) AS _lo,
  generateUUIDv4() AS uuid,
  fromUnixTimestamp64Nano(toInt64(${from} + ${moved}), 'UTC') AS bucket_time,
  toUInt16(if(made.src_port >= 32768, 32768 + ${chance} % 28000, made.src_port)) AS src_port,
  toUInt16(if(made.dst_port >= 32768, 32768 + ${chance} % 28000, made.dst_port)) AS dst_port
) FROM flows AS made WHERE made._lo < ${COPIED} AND made.bucket_time >= fromUnixTimestamp64Nano(${first}, 'UTC')
  AND made.bucket_time < fromUnixTimestamp64Nano(${end}, 'UTC')
SETTINGS max_insert_threads = 2, min_insert_block_size_rows = 1000000, optimize_on_insert = 0`;
  });
}

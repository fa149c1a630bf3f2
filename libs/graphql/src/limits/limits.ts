/** What one request may ask for. Every bound is checked before the store is asked anything. */
export interface Limits {
  /** UTF-8 bytes of the document. */
  readonly documentBytes: number;
  readonly tokens: number;
  /** Levels of fields, fragments expanded. */
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly fragments: number;
  /** Fields after fragments are expanded. */
  readonly fields: number;
  /** Highest requested cost, see `cost.ts`. */
  readonly cost: number;
  /** Units of requested cost that one caller may ask for in a second; 0 = no limit. */
  readonly costPerSecond: number;
  /** Units that a caller who asked for nothing may ask for at once. */
  readonly costBurst: number;
  /** Rows an hour of raw flows is taken to hold when a cost is estimated. */
  readonly rowsPerHour: number;
  /** Longest window, ms. */
  readonly windowMs: number;
  /** Rows that one store query may read. */
  readonly rowsToRead: number;
  /** Memory of one store query, bytes. */
  readonly queryMemoryBytes: number;
  /** Longest time of one request, ms. */
  readonly requestMs: number;
  readonly concurrentQueries: number;
  /** Store queries that may wait for their turn; one more is RATE_LIMITED. */
  readonly waitingQueries: number;
}

export const DEFAULT_LIMITS: Limits = {
  documentBytes: 64 * 1024,
  tokens: 2000,
  depth: 10,
  aliases: 15,
  directives: 20,
  fragments: 50,
  fields: 1000,
  cost: 1_000_000,
  costPerSecond: 1_000_000,
  costBurst: 10_000_000,
  rowsPerHour: 1_000_000,
  windowMs: 400 * 86_400_000,
  rowsToRead: 2_000_000_000,
  queryMemoryBytes: 1024 ** 3,
  requestMs: 15_000,
  concurrentQueries: 8,
  waitingQueries: 64,
};

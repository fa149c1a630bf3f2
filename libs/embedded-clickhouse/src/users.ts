/** Limits of one user's queries; a request may ask for less, never for more. */
export interface UserLimits {
  /** Seconds. */
  readonly maxExecutionTime: number;
  /** Bytes of engine memory of one query. */
  readonly maxMemoryBytes: number;
  readonly maxResultRows: number;
  readonly maxResultBytes: number;
  /** Queries of this user that run at the same time. */
  readonly maxConcurrent: number;
}

/** One account of the endpoint. The engine has no users of its own, so this is the whole access control. */
export interface StoreUser {
  readonly name: string;
  readonly password: string;
  /**
   * `all`: everything, for our own writer and migrations. `read`: one SELECT, SHOW, DESCRIBE, EXPLAIN or EXISTS on the
   * databases below, `readonly=1` in the engine, no way to files, the network or other databases.
   */
  readonly access: 'all' | 'read';
  /** Databases a `read` user may use; the first is the default one. Ignored for `all`. */
  readonly databases: readonly string[];
  /** Tables of `system` a `read` user may select from. Ignored for `all`. */
  readonly systemTables: readonly string[];
  readonly limits: UserLimits;
}

/** What clients and Grafana's query builder ask `system` for: names and types, no contents and no paths of the machine. */
const CATALOG_TABLES = [
  'one',
  'numbers',
  'numbers_mt',
  'zeros',
  'databases',
  'tables',
  'columns',
  'functions',
  'table_functions',
  'data_type_families',
  'formats',
  'keywords',
  'settings',
  'time_zones',
] as const;

const MIB = 1024 * 1024;

export interface StandardUserOptions {
  readonly database: string;
  readonly passwords: { readonly writer: string; readonly reader: string; readonly grafana: string };
  readonly maxMemoryBytes: number;
}

/**
 * The three accounts of a single-machine installation: `writer` (loader and migrations), `reader` (our api) and
 * `grafana` (people's own SQL, with tighter limits). `reader` also sees sizes and load for `doctor` and `status`.
 */
export function standardUsers(options: StandardUserOptions): StoreUser[] {
  const half = Math.floor(options.maxMemoryBytes / 2);
  const read = { access: 'read', databases: [options.database] } as const;
  return [
    {
      name: 'writer',
      password: options.passwords.writer,
      access: 'all',
      databases: [],
      systemTables: [],
      limits: {
        maxExecutionTime: 0,
        maxMemoryBytes: 0,
        maxResultRows: 0,
        maxResultBytes: 0,
        maxConcurrent: 4,
      },
    },
    {
      ...read,
      name: 'reader',
      password: options.passwords.reader,
      systemTables: [...CATALOG_TABLES, 'parts', 'parts_columns', 'merges', 'mutations', 'metrics', 'events'],
      limits: {
        maxExecutionTime: 120,
        maxMemoryBytes: half,
        maxResultRows: 5_000_000,
        maxResultBytes: 512 * MIB,
        maxConcurrent: 8,
      },
    },
    {
      ...read,
      name: 'grafana',
      password: options.passwords.grafana,
      systemTables: CATALOG_TABLES,
      limits: {
        maxExecutionTime: 60,
        maxMemoryBytes: half,
        maxResultRows: 1_000_000,
        maxResultBytes: 128 * MIB,
        maxConcurrent: 4,
      },
    },
  ];
}

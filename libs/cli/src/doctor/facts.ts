/** What doctor looks at, gathered from outside; undefined where it could not be asked. */
export interface DoctorFacts {
  readonly node: string;
  readonly config: {
    readonly durability: 'disk' | 'process';
    readonly fullPolicy: 'refuse' | 'drop_oldest';
    readonly minFree: number;
    readonly retentionAgeMs: number;
    readonly rawDays: number;
    readonly partitions: number;
    readonly host: string;
    readonly insecure: boolean;
    readonly hasToken: boolean;
  };
  readonly host: {
    /** Soft limit of open files. */
    readonly openFiles: number | undefined;
    /** Bytes free where the data lies. */
    readonly freeBytes: number | undefined;
    /** Kind of the file system that holds the data, by `statfs`. */
    readonly fileSystem: number | undefined;
  };
  readonly log:
    | {
        readonly epoch: bigint;
        readonly partitions: number;
        /** Age of the oldest record that no table has yet, ms; 0 when all are loaded. */
        readonly lagMs: number;
        /** Settings of a Kafka topic that break a promise. */
        readonly topic: readonly TopicSetting[];
      }
    | undefined;
  readonly store: StoreFacts | undefined;
}

/** A setting of a topic, as the Kafka adapter judges it. */
export interface TopicSetting {
  readonly setting: string;
  readonly found: string;
  readonly wanted: string;
  readonly breaks: string;
}

export interface StoreFacts {
  readonly version: string;
  /** Store's clock minus ours, ms. */
  readonly clockSkewMs: number;
  readonly schema: number;
  readonly knownSchema: number;
  /** Blocks that an insert token is remembered for, by table. */
  readonly dedupWindows: Readonly<Record<string, number>>;
  /** Materialised views that exist. */
  readonly views: readonly string[];
  /** Days until `flows` forgets a row, from its definition; undefined without a TTL. */
  readonly rawTtlDays: number | undefined;
  /** Highest log partition with rows, by epoch. */
  readonly highestPartition: Readonly<Record<string, number>>;
  /** Settings that the server does not let the loader choose, by name. */
  readonly pinnedSettings: readonly string[];
  /** Whether the reading user could write or reach files and networks; undefined when it could not be asked. */
  readonly readerMayWrite: boolean | undefined;
}

/** One thing that doctor looked at. */
export interface Finding {
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'unsafe';
  /** The promise it breaks (docs/60-exactly-once.md), or `security`, `operation`. */
  readonly promise: string;
  readonly text: string;
  readonly remedy?: string;
}

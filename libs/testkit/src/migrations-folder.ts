import { fileURLToPath } from 'node:url';

/** The folder of the shipped ClickHouse migrations. */
export const MIGRATIONS = fileURLToPath(new URL('../../../migrations/clickhouse', import.meta.url));

-- The store's clock, its version and the newest migration.
SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now_ms, version() AS version, (SELECT max(version) FROM schema_migrations) AS schema

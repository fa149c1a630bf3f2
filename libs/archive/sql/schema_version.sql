-- Version of the newest migration that ran.
SELECT max(version) AS version FROM schema_migrations FINAL

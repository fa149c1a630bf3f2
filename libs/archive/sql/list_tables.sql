-- Tables that hold rows, with what is needed to copy them in pieces.
SELECT name, engine, sorting_key
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name NOT IN ('schema_migrations', 'migration_lock')
ORDER BY name

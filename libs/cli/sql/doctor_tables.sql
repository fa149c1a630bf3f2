-- What the definitions of our tables say.
SELECT name, engine, engine_full, as_select != '' AS is_view
FROM system.tables
WHERE database = currentDatabase()
ORDER BY name
LIMIT 1000

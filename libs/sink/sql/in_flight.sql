-- Statements that still write for one partition, whoever sent them: a client that died does not stop its INSERT.
SELECT count() AS running
FROM system.processes
WHERE current_database = currentDatabase() AND startsWith(Settings['insert_deduplication_token'], {prefix:String})

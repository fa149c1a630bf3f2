-- Bytes on disk of each day of the tables that are cut by days, merged and unmerged parts alike.
SELECT table, partition_id AS day, toString(sum(bytes_on_disk)) AS bytes
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
GROUP BY table, partition_id
ORDER BY partition_id, table

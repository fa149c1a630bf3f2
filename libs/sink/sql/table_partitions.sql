-- Partition ids of a table, live and beside.
SELECT partition_id AS id, countIf(database = {beside:String}) > 0 AS replayed
FROM system.parts
WHERE active AND table = {table:String} AND database IN (currentDatabase(), {beside:String})
GROUP BY partition_id
ORDER BY partition_id

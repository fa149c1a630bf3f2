-- Partitions of a table that hold rows.
SELECT partition_id AS id, toString(sum(rows)) AS rows
FROM system.parts
WHERE active AND database = {database:String} AND table = {table:String}
GROUP BY partition_id
ORDER BY partition_id

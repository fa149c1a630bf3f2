-- Stored columns whose values compare as they are; a map's order of keys is not part of its meaning.
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND default_kind != 'ALIAS' AND type NOT LIKE '%Map(%'
  AND type NOT LIKE 'AggregateFunction%'
ORDER BY position

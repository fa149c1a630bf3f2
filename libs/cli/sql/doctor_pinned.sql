-- Settings the loader names on every insert and may not change.
SELECT name
FROM system.settings
WHERE readonly = 1
  AND name IN ('async_insert', 'insert_deduplicate', 'insert_deduplication_token',
    'deduplicate_blocks_in_dependent_materialized_views', 'materialized_views_ignore_errors', 'max_insert_block_size',
    'optimize_on_insert', 'max_partitions_per_insert_block')
ORDER BY name
LIMIT 100

-- Label lists by hash: written before the flows that name them. Measured in the design: 4x faster insert, 3-27x label filters.
CREATE TABLE IF NOT EXISTS label_sets{{ON_CLUSTER}}
(
  tenant LowCardinality(String),
  id UInt64,
  labels Array(LowCardinality(String)) CODEC(ZSTD(1))
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
ORDER BY (tenant, id);

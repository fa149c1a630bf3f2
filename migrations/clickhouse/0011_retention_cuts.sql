-- Days that were removed before their time because a class of data reached its size, or the disk its watermark.
CREATE TABLE IF NOT EXISTS retention_cuts{{ON_CLUSTER}}
(
  class LowCardinality(String) COMMENT 'raw or rollup',
  until DateTime('UTC') COMMENT 'everything before is removed, or will be within minutes',
  noted DateTime64(3, 'UTC'),
  reason LowCardinality(String) COMMENT 'size or disk',
  bytes UInt64
)
ENGINE = {{ENGINE:ReplacingMergeTree(noted)}}
ORDER BY (class, until);

-- What is not a flow: lost events, node status, agent events. `bytes` is the event as received.
CREATE TABLE IF NOT EXISTS events{{ON_CLUSTER}}
(
  _le UInt64 CODEC(ZSTD(1)),
  _lp UInt16 CODEC(ZSTD(1)),
  _lo UInt64 CODEC(Delta, ZSTD(1)),
  _li UInt32 CODEC(Delta, ZSTD(1)),
  tenant LowCardinality(String),
  cluster LowCardinality(String),
  node LowCardinality(String),
  bucket_time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  time_shift Int64 CODEC(ZSTD(1)),
  time_quality UInt8 CODEC(ZSTD(1)),
  event_key UInt64 CODEC(ZSTD(1)),
  kind LowCardinality(String) COMMENT 'lost_events | node_status | agent_event | debug_event',
  type Int32 COMMENT 'LostEventSource, NodeState or AgentEventType number' CODEC(ZSTD(1)),
  count UInt64 COMMENT 'num_events_lost of a lost event, else 0' CODEC(ZSTD(1)),
  first_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
  last_time DateTime64(9, 'UTC') CODEC(ZSTD(1)),
  nodes Array(LowCardinality(String)) COMMENT 'node names of a node status event',
  namespace LowCardinality(String),
  pod LowCardinality(String),
  labels Array(LowCardinality(String)),
  text String COMMENT 'message, error or notification text' CODEC(ZSTD(1)),
  bytes String CODEC(ZSTD(1)),
  time DateTime64(9, 'UTC') ALIAS bucket_time + toIntervalNanosecond(time_shift),
  INDEX ix_lo _lo TYPE minmax GRANULARITY 1
)
ENGINE = {{ENGINE:MergeTree}}
PARTITION BY toDate(bucket_time)
ORDER BY (tenant, cluster, kind, toStartOfFiveMinutes(bucket_time), node, bucket_time)
TTL toDateTime(bucket_time) + toIntervalDay({{ROLLUP_TTL_DAYS}})
SETTINGS non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

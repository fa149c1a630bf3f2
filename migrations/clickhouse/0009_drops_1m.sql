-- Drops and audited verdicts, one minute. A drop is a drop event; its policy-verdict twin is not a second one.
CREATE TABLE IF NOT EXISTS drops_1m{{ON_CLUSTER}}
(
  tenant LowCardinality(String),
  cluster LowCardinality(String),
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  drop_reason Int16,
  traffic_direction Int16,
  server_namespace LowCardinality(String),
  server_workload LowCardinality(String),
  client_namespace LowCardinality(String),
  client_workload LowCardinality(String),
  l4_protocol UInt8,
  server_port UInt16,
  node LowCardinality(String),
  _lp UInt16,
  drops SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  audited SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  first_seen SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
  last_seen SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(ZSTD(1))
)
ENGINE = {{ENGINE:AggregatingMergeTree}}
PARTITION BY toDate(bucket)
ORDER BY (tenant, cluster, bucket, drop_reason, traffic_direction, server_namespace, server_workload, client_namespace, client_workload, l4_protocol, server_port, node, _lp)
TTL bucket + toIntervalDay({{ROLLUP_TTL_DAYS}})
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS drops_1m_mv{{ON_CLUSTER}} TO drops_1m AS
SELECT
  tenant, cluster, toDateTime(toStartOfMinute(bucket_time), 'UTC') AS bucket,
  drop_reason, traffic_direction, server_namespace, server_workload, client_namespace, client_workload,
  l4_protocol, server_port, node, _lp,
  sum(if(is_drop, toInt64(weight), 0)) AS drops,
  sum(if(verdict = 4, toInt64(weight), 0)) AS audited,
  min(bucket_time) AS first_seen,
  max(bucket_time) AS last_seen
FROM flows
WHERE is_drop OR verdict = 4
GROUP BY tenant, cluster, bucket, drop_reason, traffic_direction, server_namespace, server_workload, client_namespace, client_workload, l4_protocol, server_port, node, _lp;

-- Who talks to whom, one hour: the columns of edges_1m. A day of the service map is a twentieth of the rows (ADR 10).
CREATE TABLE IF NOT EXISTS edges_1h{{ON_CLUSTER}}
(
  tenant LowCardinality(String) CODEC(ZSTD(1)),
  cluster LowCardinality(String) CODEC(ZSTD(1)),
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  server_namespace LowCardinality(String) CODEC(ZSTD(1)),
  server_workload LowCardinality(String) CODEC(ZSTD(1)),
  client_namespace LowCardinality(String) CODEC(ZSTD(1)),
  client_workload LowCardinality(String) CODEC(ZSTD(1)),
  l4_protocol UInt8 CODEC(ZSTD(1)),
  server_port UInt16 CODEC(ZSTD(1)),
  known UInt8 COMMENT '1 when client and server were decided by evidence' CODEC(ZSTD(1)),
  point UInt8 COMMENT 'where connections were counted: 4 to-endpoint, 3 to-stack, 2 to-overlay, 1 to-network, 0 elsewhere' CODEC(ZSTD(1)),
  _lp UInt16 CODEC(ZSTD(1)),
  flows SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  connections SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  forwarded SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  drops SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  audited SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  resets SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  syns SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  fins SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  trace_flows SimpleAggregateFunction(sum, Int64) COMMENT 'flows that know whether they were encrypted' CODEC(T64, ZSTD(1)),
  encrypted_flows SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  first_seen SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(T64, ZSTD(1)),
  last_seen SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(T64, ZSTD(1))
)
ENGINE = {{ENGINE:AggregatingMergeTree}}
PARTITION BY toDate(bucket)
ORDER BY (tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l4_protocol, server_port, known, point, _lp)
TTL bucket + toIntervalDay({{HOUR_TTL_DAYS}})
SETTINGS non_replicated_deduplication_window = 1000;

-- What was loaded before this table was there. No loader runs while migrations do (docs/70), so a kill in between repeats it.
TRUNCATE TABLE edges_1h{{ON_CLUSTER}};

INSERT INTO edges_1h
  (tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l4_protocol, server_port, known, point, _lp,
  flows, connections, forwarded, drops, audited, resets, syns, fins, trace_flows, encrypted_flows, first_seen, last_seen)
SELECT
  tenant, cluster, toDateTime(toStartOfHour(bucket), 'UTC'), server_namespace, server_workload, client_namespace, client_workload,
  l4_protocol, server_port, known, point, _lp,
  flows, connections, forwarded, drops, audited, resets, syns, fins, trace_flows, encrypted_flows, first_seen, last_seen
FROM edges_1m
SETTINGS insert_deduplicate = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS edges_1h_mv{{ON_CLUSTER}} TO edges_1h AS
SELECT
  tenant, cluster, toDateTime(toStartOfHour(bucket_time), 'UTC') AS bucket,
  server_namespace, server_workload, client_namespace, client_workload,
  l4_protocol, server_port, toUInt8(client_side != 0) AS known,
  toUInt8(multiIf(event_type != 4, 0, trace_observation_point = 101 AND traffic_direction = 1, 4,
    traffic_direction != 2, 0, trace_observation_point = 3, 3, trace_observation_point = 4, 2, trace_observation_point = 11, 1, 0)) AS point,
  _lp,
  sum(toInt64(weight)) AS flows,
  sum(if(point != 0 AND trace_reason = 1 AND is_reply = 1 AND (bitAnd(tcp_flags, 512) = 0 OR bitAnd(tcp_flags, 18) = 2), toInt64(weight), 0)) AS connections,
  sum(if(verdict = 1, toInt64(weight), 0)) AS forwarded,
  sum(if(is_drop, toInt64(weight), 0)) AS drops,
  sum(if(verdict = 4, toInt64(weight), 0)) AS audited,
  sum(if(bitAnd(tcp_flags, 4) != 0, toInt64(weight), 0)) AS resets,
  sum(if(bitAnd(tcp_flags, 18) = 2, toInt64(weight), 0)) AS syns,
  sum(if(bitAnd(tcp_flags, 1) != 0, toInt64(weight), 0)) AS fins,
  sum(if(event_type = 4, toInt64(weight), 0)) AS trace_flows,
  sum(if(event_type = 4 AND encrypted = 1, toInt64(weight), 0)) AS encrypted_flows,
  min(bucket_time) AS first_seen,
  max(bucket_time) AS last_seen
FROM flows
GROUP BY tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l4_protocol, server_port, known, point, _lp;

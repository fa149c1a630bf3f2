-- RED by edge without its endpoints, one hour; also tells which side reported an edge in an hour (design section 6). What does not ask for
-- endpoints reads a fraction of the rows of red_1h (ADR 11).
CREATE TABLE IF NOT EXISTS red_edges_1h{{ON_CLUSTER}}
(
  tenant LowCardinality(String) CODEC(ZSTD(1)),
  cluster LowCardinality(String) CODEC(ZSTD(1)),
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  server_namespace LowCardinality(String) CODEC(ZSTD(1)),
  server_workload LowCardinality(String) CODEC(ZSTD(1)),
  client_namespace LowCardinality(String) CODEC(ZSTD(1)),
  client_workload LowCardinality(String) CODEC(ZSTD(1)),
  l7_kind UInt8 CODEC(ZSTD(1)),
  server_port UInt16 CODEC(ZSTD(1)),
  reporter UInt8 COMMENT 'TrafficDirection of the record: 1 = the server side saw it, 2 = the client side' CODEC(ZSTD(1)),
  _lp UInt16 CODEC(ZSTD(1)),
  requests SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  denied SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  faults SimpleAggregateFunction(sum, Int64) COMMENT 'HTTP 5xx, DNS SERVFAIL' CODEC(T64, ZSTD(1)),
  failures SimpleAggregateFunction(sum, Int64) COMMENT 'faults, HTTP 4xx, other DNS errors, Kafka errors' CODEC(T64, ZSTD(1)),
  latency_known SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  latency_sum_ns SimpleAggregateFunction(sum, Int64) CODEC(T64, ZSTD(1)),
  latency_max_ns SimpleAggregateFunction(max, UInt64) CODEC(T64, ZSTD(1)),
  latency_histogram SimpleAggregateFunction(sumMap, Map(UInt16, Int64)) CODEC(ZSTD(1))
)
ENGINE = {{ENGINE:AggregatingMergeTree}}
PARTITION BY toDate(bucket)
ORDER BY (tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l7_kind, server_port, reporter, _lp)
TTL bucket + toIntervalDay({{HOUR_TTL_DAYS}})
SETTINGS non_replicated_deduplication_window = 1000;

-- What was loaded before this table was there. No loader runs while migrations do (docs/70), so a kill in between repeats it.
TRUNCATE TABLE red_edges_1h{{ON_CLUSTER}};

INSERT INTO red_edges_1h
  (tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l7_kind, server_port, reporter, _lp,
  requests, denied, faults, failures, latency_known, latency_sum_ns, latency_max_ns, latency_histogram)
SELECT
  tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l7_kind, server_port, reporter, _lp,
  requests, denied, faults, failures, latency_known, latency_sum_ns, latency_max_ns, latency_histogram
FROM red_1h
SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS red_edges_1h_mv{{ON_CLUSTER}} TO red_edges_1h AS
SELECT
  tenant, cluster, toDateTime(toStartOfHour(bucket_time), 'UTC') AS bucket,
  server_namespace, server_workload, client_namespace, client_workload,
  l7_kind, server_port, toUInt8(traffic_direction) AS reporter, _lp,
  sum(if(l7_type = 2, toInt64(weight), 0)) AS requests,
  sum(if(l7_type = 1, toInt64(weight), 0)) AS denied,
  sum(if(l7_type = 2 AND (http_code >= 500 OR (l7_kind = 1 AND dns_rcode = 2)), toInt64(weight), 0)) AS faults,
  sum(if(l7_type = 2 AND (http_code >= 400 OR (l7_kind = 1 AND dns_rcode != 0) OR kafka_error_code != 0), toInt64(weight), 0)) AS failures,
  sum(if(l7_type = 2 AND latency_bucket != 0, toInt64(weight), 0)) AS latency_known,
  sum(if(l7_type = 2 AND latency_bucket != 0, toInt64(latency_ns * weight), 0)) AS latency_sum_ns,
  max(if(l7_type = 2, latency_ns, 0)) AS latency_max_ns,
  sumMap(if(l7_type = 2 AND latency_bucket != 0, map(latency_bucket, toInt64(weight)), CAST(map(), 'Map(UInt16, Int64)'))) AS latency_histogram
FROM flows
WHERE l7_type = 2 OR (l7_type = 1 AND verdict = 2)
GROUP BY tenant, cluster, bucket, server_namespace, server_workload, client_namespace, client_workload, l7_kind, server_port, reporter, _lp;

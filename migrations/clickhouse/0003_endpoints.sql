-- Who an address or pod was, hour by hour, as the node that runs it said. Refines workloads and services at query time
-- (answers mark them inferred). A set: writing a row twice changes nothing.
CREATE TABLE IF NOT EXISTS endpoints{{ON_CLUSTER}}
(
  tenant LowCardinality(String),
  cluster LowCardinality(String),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  ip IPv6 CODEC(ZSTD(1)),
  namespace LowCardinality(String),
  pod LowCardinality(String),
  identity UInt32 CODEC(ZSTD(1)),
  workload_kind LowCardinality(String),
  workload LowCardinality(String),
  service_namespace LowCardinality(String),
  service_name LowCardinality(String)
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, cluster, hour, namespace, pod, ip, workload_kind, workload, identity, service_namespace, service_name)
TTL hour + toIntervalDay({{ROLLUP_TTL_DAYS}});

-- Calls like this one (same client, server, port and endpoint) that a proxy denied in the day before it: whole minutes
-- from the rollup, so the first is known to the minute; the last minute from single flows.
SELECT
  sum(m_denied) AS drop_count,
  toUnixTimestamp64Nano(minIf(m_first_seen, m_denied != 0)) AS first_ns
FROM (
  SELECT toInt64(denied) AS m_denied, toDateTime64(bucket, 9, 'UTC') AS m_first_seen
  FROM red_1m
  WHERE tenant = {tenant:String} AND /*minutes*/ AND /*same*/
  UNION ALL
  SELECT toInt64(weight) AS m_denied, bucket_time AS m_first_seen
  FROM flows
  WHERE tenant = {tenant:String} AND /*rest*/ AND l7_type = 1 AND verdict = 2 AND /*same*/
)

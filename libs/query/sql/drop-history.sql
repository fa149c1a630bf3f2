-- Drops like this one (same client, server, port and reason) in the day before it: whole minutes from the rollup, the
-- last minute from single flows.
SELECT
  sum(m_drops) AS drop_count,
  toUnixTimestamp64Nano(minIf(m_first_seen, m_drops != 0)) AS first_ns
FROM (
  SELECT toInt64(drops) AS m_drops, CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen
  FROM drops_1m
  WHERE tenant = {tenant:String} AND /*minutes*/ AND /*same*/
  UNION ALL
  SELECT toInt64(weight) AS m_drops, bucket_time AS m_first_seen
  FROM flows
  WHERE tenant = {tenant:String} AND /*rest*/ AND is_drop AND /*same*/
)

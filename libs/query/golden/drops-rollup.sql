SELECT
  if(position > {limit:UInt32} OR order_value <= 0, 0, position) AS group_rank,
  if(group_rank = 0, '', key_1) AS shown_key_1,
  step_number,
  max(if(order_value <= 0, 0, position)) AS last_position,
  sum(drops) AS drop_count,
  sum(audited) AS audited_count,
  toUnixTimestamp64Nano(min(first_seen)) AS first_ns,
  toUnixTimestamp64Nano(max(last_seen)) AS last_ns,
  mapKeys(sumMap(reasons) AS reason_sum) AS reason_codes,
  mapValues(reason_sum) AS reason_counts
FROM (
  SELECT
    *,
    dense_rank() OVER (ORDER BY order_value DESC , key_1) AS position
  FROM (
    SELECT
      *,
      sum(drops) OVER (PARTITION BY key_1) AS order_value
    FROM (
      SELECT
        key_1,
        step_number,
        sum(m_drops) AS drops,
        sum(m_audited) AS audited,
        minIf(m_first_seen, m_drops != 0) AS first_seen,
        maxIf(m_last_seen, m_drops != 0) AS last_seen,
        sumMap(map(drop_reason, m_drops)) AS reasons
      FROM (SELECT
  toString(drop_reason) AS key_1,
  toInt64(0) AS step_number,
  drop_reason,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows

WHERE tenant = {tenant:String}
  AND bucket_time >= fromUnixTimestamp64Nano({p3:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p4:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p3:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p4:Int64}, 'UTC'))
  AND (is_drop OR verdict = 4)
  AND (node = {p1:String})
UNION ALL
SELECT
  toString(drop_reason) AS key_1,
  toInt64(0) AS step_number,
  drop_reason,
  toInt64(drops) AS m_drops,
  toInt64(audited) AS m_audited,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM drops_1m
WHERE tenant = {tenant:String}
  AND bucket >= toDateTime({p5:Int64}, 'UTC') AND bucket < toDateTime({p6:Int64}, 'UTC')
  AND (node = {p2:String}))
      GROUP BY key_1, step_number
      HAVING drops != 0 OR audited != 0
    )
  )
)
GROUP BY group_rank, shown_key_1, step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}
-- tenant = "acme"
-- p1 = "n1"
-- p2 = "n1"
-- limit = 50
-- rows = 52
-- p3 = "1767261599999999999n"
-- p4 = "1767261600000000000n"
-- p5 = "1767261600n"
-- p6 = "1767268800n"

-- Drops from one snapshot: grouped, ranked, with all groups beyond the limit added up as rank 0. Audited verdicts (would
-- have been dropped) are counted apart and never make a group.
SELECT
  if(position > {limit:UInt32} OR order_value <= 0, 0, position) AS group_rank,
  /*shown_keys*/
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
    dense_rank() OVER (ORDER BY order_value DESC /*order_keys*/) AS position
  FROM (
    SELECT
      *,
      sum(drops) OVER (/*partition*/) AS order_value
    FROM (
      SELECT
        /*keys*/
        step_number,
        sum(m_drops) AS drops,
        sum(m_audited) AS audited,
        minIf(m_first_seen, m_drops != 0) AS first_seen,
        maxIf(m_last_seen, m_drops != 0) AS last_seen,
        sumMap(map(drop_reason, m_drops)) AS reasons
      FROM (/*events*/)
      GROUP BY /*group_keys*/ step_number
      HAVING drops != 0 OR audited != 0
    )
  )
)
GROUP BY group_rank, /*shown_names*/ step_number
ORDER BY group_rank, step_number
LIMIT {rows:UInt32}

-- Drops and audited verdicts of whole minutes.
SELECT
  /*keys*/
  /*step*/ AS step_number,
  drop_reason,
  toInt64(drops) AS m_drops,
  toInt64(audited) AS m_audited,
  CAST(first_seen, 'DateTime64(9, \'UTC\')') AS m_first_seen,
  CAST(last_seen, 'DateTime64(9, \'UTC\')') AS m_last_seen
FROM drops_1m
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (/*filter*/)

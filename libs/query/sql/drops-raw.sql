-- Drops and audited verdicts from single flows, with the expressions of the rollup's view.
SELECT
  /*keys*/
  /*step*/ AS step_number,
  drop_reason,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM flows
/*history*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (is_drop OR verdict = 4)
  AND (/*filter*/)

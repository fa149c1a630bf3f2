-- Drops that may be grouped by policy.
SELECT
  /*keys*/
  /*step*/ AS step_number,
  drop_reason,
  m_drops,
  m_audited,
  bucket_time AS m_first_seen,
  bucket_time AS m_last_seen
FROM (/*twinned*/)

-- Flows with the columns of an export, in the order of time. The inner list is read in key order and stops at the limit.
SELECT
  /*columns*/
FROM (
  SELECT *
  FROM flows
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND (/*filter*/)
  ORDER BY toStartOfFiveMinutes(bucket_time) /*order*/, bucket_time /*order*/, _le /*order*/, _lp /*order*/, _lo /*order*/, _li /*order*/
  LIMIT {limit:UInt32}
)
ORDER BY bucket_time, _le, _lp, _lo, _li

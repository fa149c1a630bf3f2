-- One page of flows of one cluster, or of all. Ordered by the sort key's five minutes first, so that the store reads in
-- key order and stops at the limit, then by time and identity.
SELECT
  /*columns*/
FROM flows
WHERE tenant = {tenant:String}
  AND /*cluster*/
  AND /*range*/
  AND (/*position*/)
  AND (/*filter*/)
ORDER BY toStartOfFiveMinutes(bucket_time) /*order*/, bucket_time /*order*/, _le /*order*/, _lp /*order*/, _lo /*order*/, _li /*order*/
LIMIT {limit:UInt32}

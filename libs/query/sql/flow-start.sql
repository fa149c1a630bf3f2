-- Where the last flows begin: the position that as many flows of one cluster, or of all, lie at or behind.
SELECT toUnixTimestamp64Nano(bucket_time) AS bucket_ns, _le, _lp, _lo, _li
FROM flows
WHERE tenant = {tenant:String}
  AND /*cluster*/
  AND /*range*/
  AND (/*position*/)
  AND (/*filter*/)
ORDER BY toStartOfFiveMinutes(bucket_time) DESC, bucket_time DESC, _le DESC, _lp DESC, _lo DESC, _li DESC
/*limit*/

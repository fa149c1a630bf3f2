-- Events that were lost upstream, by node and minute, most first; the total is that of all rows, shown or not. A source
-- may send any number: sums are made in 128 bits and shown up to the largest that JSON keeps.
SELECT
  cluster,
  node,
  toStartOfMinute(bucket_time) AS minute,
  toUnixTimestamp64Nano(min(if(toUnixTimestamp64Nano(first_time) = 0, bucket_time, first_time))) AS first_ns,
  toUnixTimestamp64Nano(max(if(toUnixTimestamp64Nano(last_time) = 0, bucket_time, last_time))) AS last_ns,
  toString(least(sum(toUInt128(count)), toUInt128(9007199254740991))) AS lost,
  toString(least(sum(sum(toUInt128(count))) OVER (), toUInt128(9007199254740991))) AS lost_total
FROM events
WHERE tenant = {tenant:String}
  AND /*range*/
  AND kind = 'lost_events'
  AND /*scope*/
GROUP BY cluster, node, minute
ORDER BY sum(toUInt128(count)) DESC, minute, cluster, node
LIMIT {limit:UInt32}

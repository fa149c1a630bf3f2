-- Hours that rows outside [from, end) fall into: a rollup of such an hour holds more than the replay does.
SELECT groupUniqArray(toUnixTimestamp(toStartOfHour(bucket_time))) AS hours
FROM flows
WHERE _lp = {partition:UInt16} AND (_le != {epoch:UInt64} OR _lo < {from:UInt64} OR _lo >= {end:UInt64})

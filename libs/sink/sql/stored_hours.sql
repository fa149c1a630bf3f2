-- Hours (start, s since 1970) that rows of [from, to] in `flows` fall into.
SELECT groupUniqArray(toUnixTimestamp(toStartOfHour(bucket_time))) AS hours
FROM flows
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64} AND _lo <= {to:UInt64}

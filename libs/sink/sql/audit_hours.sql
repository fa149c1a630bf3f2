-- Hours (start, s since 1970) for which one partition has flows.
SELECT arraySort(groupUniqArray(toUnixTimestamp(toStartOfHour(bucket_time)))) AS hours
FROM flows
WHERE _lp = {partition:UInt16}

-- Digest of the finalised rows of a rollup, hour by hour. Rows whose sums are all zero say nothing and are left out.
SELECT toUnixTimestamp(toStartOfHour(bucket)) AS hour, toString(count()) AS rows, toString(sum(cityHash64(/*values*/))) AS digest
FROM /*table*/ FINAL
WHERE _lp = {partition:UInt16} AND (/*live*/)
GROUP BY hour

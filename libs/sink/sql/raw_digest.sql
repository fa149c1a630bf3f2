-- Digest of the rows of a table with identity, hour by hour, that does not depend on their order.
SELECT toUnixTimestamp(toStartOfHour(/*time*/)) AS hour, toString(count()) AS rows, toString(sum(cityHash64(/*values*/))) AS digest
FROM /*table*/
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64} AND _lo < {end:UInt64}
GROUP BY hour

-- Rows of a table in a range of offsets, and how many of them are different events.
SELECT toString(count()) AS rows, toString(uniqExact(_lo, _li)) AS ids
FROM /*table*/
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {first:UInt64} AND _lo <= {last:UInt64}

-- Which events of [from, to] a table of facts holds, record by record. `indexes` is longer than the number of distinct
-- indexes when a row is there twice.
SELECT toString(_lo) AS lo, groupArray(_li) AS indexes
FROM {table:Identifier}
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64} AND _lo <= {to:UInt64}
GROUP BY _lo

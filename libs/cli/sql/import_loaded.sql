SELECT _lp AS lp, toString(max(to_offset)) AS loaded
FROM load_ledger
WHERE _le = {epoch:UInt64} AND _lp IN {partitions:Array(UInt16)}
GROUP BY _lp
LIMIT 65536

SELECT reason, toString(count()) AS events, 'dead' AS fate
FROM (
  SELECT DISTINCT _lp, _lo, _li, reason FROM dead_letters
  WHERE _le = {epoch:UInt64}
    AND arrayExists((lp, first, last) -> _lp = lp AND _lo BETWEEN first AND last, {partitions:Array(UInt16)}, {froms:Array(UInt64)}, {tos:Array(UInt64)})
)
GROUP BY reason
UNION ALL
SELECT reason, toString(count()) AS events, 'skipped' AS fate
FROM (
  SELECT DISTINCT _lp, _lo, _li, reason FROM skipped_events
  WHERE _le = {epoch:UInt64}
    AND arrayExists((lp, first, last) -> _lp = lp AND _lo BETWEEN first AND last, {partitions:Array(UInt16)}, {froms:Array(UInt64)}, {tos:Array(UInt64)})
)
GROUP BY reason
LIMIT 1000

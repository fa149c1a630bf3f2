-- Dead letters in the order of the log. `open`: only those not given back to it; `before`: only those received earlier.
SELECT
  concat(toString(_le), '/', toString(_lp), '/', toString(_lo), '/', toString(_li)) AS id,
  toString(_le) AS epoch, _lp AS lp, toString(_lo) AS lo, _li AS li,
  tenant, cluster, node, source, codec, reason,
  formatDateTime(dead_letters.received, '%FT%T.%fZ', 'UTC') AS received,
  toString(size) AS size,
  if({withBytes:UInt8} = 1, base64Encode(bytes), '') AS bytes,
  (_le, _lp, _lo, _li) IN (SELECT _le, _lp, _lo, _li FROM dead_letter_redrives) AS redriven
FROM dead_letters FINAL
WHERE ({reason:String} = '' OR reason = {reason:String})
  AND ({id:String} = '' OR id = {id:String})
  AND ({open:UInt8} = 0 OR NOT redriven)
  AND toUnixTimestamp64Milli(dead_letters.received) < {before:Int64}
  AND (_le, _lp, _lo, _li) > ({afterLe:UInt64}, {afterLp:UInt16}, {afterLo:UInt64}, {afterLi:UInt32})
ORDER BY _le, _lp, _lo, _li
LIMIT {limit:UInt32}

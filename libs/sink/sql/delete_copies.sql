-- Removes every copy of rows that are in a table of facts more than once; they are inserted again afterwards.
DELETE FROM {table:Identifier}
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND _lo >= {from:UInt64} AND _lo <= {to:UInt64}
  AND has(arrayZip({offsets:Array(UInt64)}, {indexes:Array(UInt32)}), (_lo, _li))

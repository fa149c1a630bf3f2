-- First offset at or after {start} at which a batch of the ledger begins: a replay may begin there, because no line of
-- the ledger reaches over it.
SELECT toString(count()) AS batches, toString(min(from_offset)) AS first
FROM load_ledger FINAL
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND from_offset >= {start:UInt64}

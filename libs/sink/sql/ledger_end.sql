-- Last offset that the ledger covers in one partition, how many batches, and the events in them.
SELECT toString(count()) AS batches, toString(max(to_offset)) AS last, toString(sum(events)) AS events
FROM load_ledger FINAL
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16}

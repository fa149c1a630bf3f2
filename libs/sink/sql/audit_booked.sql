-- Rows that the ledger promises from an offset on, by table.
SELECT toString(sum(l.flows)) AS flows, toString(sum(other_events)) AS events, toString(sum(duplicates + skipped)) AS skipped_events
FROM load_ledger AS l FINAL
WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND from_offset >= {first:UInt64}

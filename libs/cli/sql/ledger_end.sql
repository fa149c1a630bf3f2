-- Where the ledger ends, by partition.
SELECT _lp AS lp, toString(max(to_offset) + 1) AS next
FROM load_ledger
WHERE _le = {epoch:UInt64}
GROUP BY _lp
LIMIT 65536

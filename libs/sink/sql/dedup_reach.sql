-- First offset whose accepted keys may still be in the window before {next}: WINDOW_LIMITS.perPartition accepted keys
-- or WINDOW_LIMITS.records records back, whichever is nearer. Read from the ledger, not from the rows.
SELECT toString(min(from_offset)) AS first
FROM (
  SELECT from_offset,
    sum(flows + other_events) OVER (ORDER BY from_offset DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - flows - other_events AS newer
  FROM load_ledger FINAL
  WHERE _le = {epoch:UInt64} AND _lp = {partition:UInt16} AND from_offset < {next:UInt64} AND to_offset + 524288 >= {next:UInt64}
)
WHERE newer < 524288

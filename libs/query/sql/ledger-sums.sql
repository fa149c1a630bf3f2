-- What became of every event of the log, by log epoch and partition. The ledger has one row a range of offsets; a range
-- written again replaces itself.
SELECT
  _le,
  _lp,
  sum(events) AS event_count,
  sum(flows) AS flow_count,
  sum(other_events) AS other_count,
  sum(duplicates) AS duplicate_count,
  sum(dead) AS dead_count,
  sum(skipped) AS skipped_count,
  min(from_offset) AS first_offset,
  max(to_offset) AS last_offset
FROM load_ledger FINAL
GROUP BY _le, _lp
ORDER BY _le, _lp
LIMIT {limit:UInt32}

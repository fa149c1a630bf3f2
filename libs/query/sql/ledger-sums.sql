-- What became of every event of the log, by log epoch and partition, and whether repairs are under way. The ledger has
-- one row a range of offsets; a range written again replaces itself.
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
  max(to_offset) AS last_offset,
  (
    SELECT count() FROM (
      SELECT max(done) AS finished FROM load_repairs GROUP BY _le, _lp, from_offset
    ) WHERE finished = 0
  ) AS open_repairs
FROM load_ledger FINAL
GROUP BY _le, _lp
ORDER BY _le, _lp
LIMIT {limit:UInt32}

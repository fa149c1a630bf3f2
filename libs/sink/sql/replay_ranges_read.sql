-- First replayed offset of each partition.
SELECT toString(_le) AS epoch, _lp AS lp, toString(from_offset) AS first
FROM /*beside*/.replay_ranges
ORDER BY _lp

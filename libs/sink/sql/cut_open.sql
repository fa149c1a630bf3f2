-- Announced cuts, the last one of each class.
SELECT class, toUnixTimestamp(last) AS until, toString(toUnixTimestamp64Milli(at)) AS noted_ms
FROM (SELECT class, max(until) AS last, argMax(noted, until) AS at FROM retention_cuts FINAL GROUP BY class)

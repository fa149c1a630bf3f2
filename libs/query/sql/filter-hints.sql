-- Values of a filter field among the matching rows that fit the cap, most frequent first. `seen` says whether the
-- cap cut rows off, `distinct_values` whether the values did not all fit.
SELECT /*value*/ AS value, flow_total, sum(records) OVER () AS seen, count() OVER () AS distinct_values
FROM (
  SELECT /*keys*/, sum(toInt64(weight)) AS flow_total, count() AS records
  FROM (
    SELECT /*columns*/, weight
    FROM flows
    WHERE tenant = {tenant:String}
      AND /*range*/
      AND (/*filter*/)
      AND (/*present*/)
    LIMIT {cap:UInt64}
  )
  GROUP BY /*keys*/
)
ORDER BY flow_total DESC, value
LIMIT {limit:UInt32}

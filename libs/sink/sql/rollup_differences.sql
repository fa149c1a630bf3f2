-- How many rows of a rollup differ from a recomputation, in the given hours of one partition.
SELECT toString(count()) AS differing
FROM (
  SELECT /*keys*/
  FROM (
    SELECT /*columns*/, toInt8(1) AS sign FROM (/*view*/)
    WHERE _lp = {partition:UInt16} AND bucket >= toDateTime({first:UInt32}, 'UTC') AND bucket < toDateTime({end:UInt32}, 'UTC')
      AND has({hours:Array(UInt32)}, toUnixTimestamp(toStartOfHour(bucket)))
    UNION ALL
    SELECT /*columns*/, toInt8(-1) AS sign FROM /*table*/
    WHERE _lp = {partition:UInt16} AND bucket >= toDateTime({first:UInt32}, 'UTC') AND bucket < toDateTime({end:UInt32}, 'UTC')
      AND has({hours:Array(UInt32)}, toUnixTimestamp(toStartOfHour(bucket)))
  ) AS t
  GROUP BY /*keys*/
  HAVING /*differs*/
)

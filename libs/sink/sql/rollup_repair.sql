-- Adds to a rollup what a recomputation has more (or less: sums may be negative) in the given hours of one partition.
INSERT INTO /*table*/ (/*columns*/)
SELECT /*keys*/, /*corrections*/
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

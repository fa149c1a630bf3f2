-- How far back the flows that are kept reach (to the minute), how far forward, which nodes sent lately, and which repairs
-- touch the window. The watermark is the time that every live node has passed: the least of the newest flows of the
-- nodes that are at most five minutes behind the newest of their cluster; where none sent lately, the newest flow of all.
SELECT
  (
    SELECT toUnixTimestamp(min(bucket)) FROM edges_1m
    WHERE tenant = {tenant:String} AND /*cluster*/
      AND bucket >= (SELECT toDateTime(toStartOfDay(min(bucket_time)), 'UTC') FROM flows)
  ) AS oldest_s,
  (
    SELECT min(arrayMin(arrayFilter(at -> at >= least(arrayMax(newest), {now:Int64}) - 300000000000, newest)))
    FROM (
      SELECT cluster, groupArray(at) AS newest
      FROM (
        SELECT cluster, node, toUnixTimestamp64Nano(max(bucket_time)) AS at FROM flows
        WHERE tenant = {tenant:String} AND /*scope*/ AND /*lately*/
        GROUP BY cluster, node
      )
      GROUP BY cluster
    )
  ) AS live_ns,
  (
    SELECT toUnixTimestamp64Nano(max(last_seen)) FROM edges_1m
    WHERE tenant = {tenant:String} AND /*cluster*/ AND /*recent*/
  ) AS newest_ns,
  (
    SELECT uniqExact(cluster, node) FROM flows
    WHERE tenant = {tenant:String} AND /*scope*/ AND /*reporting*/
  ) AS nodes_reporting,
  (
    SELECT count() FROM (
      SELECT max(done) AS finished, min(min_minute) AS first_minute, max(max_minute) AS last_minute
      FROM load_repairs GROUP BY _le, _lp, from_offset
    ) WHERE finished = 0
      AND toInt64(toUnixTimestamp(last_minute)) + 60 > {from_s:Int64} AND toInt64(toUnixTimestamp(first_minute)) < {to_s:Int64}
  ) AS open_repairs

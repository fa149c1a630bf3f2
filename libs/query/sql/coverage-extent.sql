-- How far back the flows that are kept reach (to the minute), how far forward, and which nodes sent lately.
SELECT
  (
    SELECT toUnixTimestamp(min(bucket)) FROM edges_1m
    WHERE tenant = {tenant:String} AND /*cluster*/
      AND bucket >= (SELECT toDateTime(toStartOfDay(min(bucket_time)), 'UTC') FROM flows)
  ) AS oldest_s,
  (
    SELECT toUnixTimestamp64Nano(max(last_seen)) FROM edges_1m
    WHERE tenant = {tenant:String} AND /*cluster*/ AND /*recent*/
  ) AS watermark_ns,
  (
    SELECT uniqExact(cluster, node) FROM flows
    WHERE tenant = {tenant:String} AND /*scope*/ AND /*reporting*/
  ) AS nodes_reporting

SELECT
  (
    SELECT toUnixTimestamp(min(bucket)) FROM edges_1m
    WHERE tenant = {tenant:String} AND cluster = {p1:String}
      AND bucket >= (SELECT toDateTime(toStartOfDay(min(bucket_time)), 'UTC') FROM flows)
  ) AS oldest_s,
  (
    SELECT min(arrayMin(arrayFilter(at -> at >= least(arrayMax(newest), {now:Int64}) - 300000000000, newest)))
    FROM (
      SELECT cluster, groupArray(at) AS newest
      FROM (
        SELECT cluster, node, toUnixTimestamp64Nano(max(bucket_time)) AS at FROM flows
        WHERE tenant = {tenant:String} AND cluster = {p4:String} AND true AND bucket_time >= fromUnixTimestamp64Nano({p5:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p6:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p5:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p6:Int64}, 'UTC'))
        GROUP BY cluster, node
      )
      GROUP BY cluster
    )
  ) AS live_ns,
  (
    SELECT toUnixTimestamp64Nano(max(last_seen)) FROM edges_1m
    WHERE tenant = {tenant:String} AND cluster = {p1:String} AND bucket >= toDateTime({p2:Int64}, 'UTC') AND bucket < toDateTime({p3:Int64}, 'UTC')
  ) AS newest_ns,
  (
    SELECT uniqExact(cluster, node) FROM flows
    WHERE tenant = {tenant:String} AND cluster = {p4:String} AND true AND bucket_time >= fromUnixTimestamp64Nano({p7:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p8:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p7:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p8:Int64}, 'UTC'))
  ) AS nodes_reporting,
  (
    SELECT count() FROM (
      SELECT max(done) AS finished, min(min_minute) AS first_minute, max(max_minute) AS last_minute
      FROM load_repairs GROUP BY _le, _lp, from_offset
    ) WHERE finished = 0
      AND toInt64(toUnixTimestamp(last_minute)) + 60 > {from_s:Int64} AND toInt64(toUnixTimestamp(first_minute)) < {to_s:Int64}
  ) AS open_repairs
-- tenant = "acme"
-- now = "1767268800000000000n"
-- from_s = "1767261599n"
-- to_s = "1767268800n"
-- p1 = "eu"
-- p2 = "1767009600n"
-- p3 = "1767276000n"
-- p4 = "eu"
-- p5 = "1767267900000000000n"
-- p6 = "1767276000000000000n"
-- p7 = "1767267900000000000n"
-- p8 = "1767268800000000000n"

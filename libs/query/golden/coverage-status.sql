SELECT
  if(position(name, '/') > 1, splitByChar('/', name)[1], cluster) AS node_cluster,
  if(position(name, '/') > 0, substring(name, position(name, '/') + 1), name) AS node_name,
  toUnixTimestamp64Nano(bucket_time) AS at_ns,
  type,
  startsWith(text, 'flowledger:') AS ours
FROM (
  SELECT
    cluster, name, bucket_time, type, text, _le, _lp, _lo, _li,
    lagInFrame(type) OVER (PARTITION BY cluster, name ORDER BY bucket_time, _le, _lp, _lo, _li) AS type_before
  FROM events
  ARRAY JOIN nodes AS name
  WHERE tenant = {tenant:String}
    AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
    AND kind = 'node_status'
)
WHERE type != type_before
  AND node_cluster = {p3:String} AND node_name = {p4:String}
ORDER BY bucket_time, _le, _lp, _lo, _li, node_name
LIMIT {limit:UInt32}
-- tenant = "acme"
-- limit = 10000
-- p1 = "1766656799999999999n"
-- p2 = "1767268800000000000n"
-- p3 = "eu"
-- p4 = "n1"

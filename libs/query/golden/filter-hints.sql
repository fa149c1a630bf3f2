SELECT concat(src_namespace, '/', src_pod) AS value, flow_total, sum(records) OVER () AS seen, count() OVER () AS distinct_values
FROM (
  SELECT src_namespace, src_pod, sum(toInt64(weight)) AS flow_total, count() AS records
  FROM (
    SELECT src_namespace, src_pod, weight
    FROM flows
    WHERE tenant = {tenant:String}
      AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
      AND (true)
      AND ((src_pod != '') AND startsWith(concat(src_namespace, '/', src_pod), {p3:String}))
    LIMIT {cap:UInt64}
  )
  GROUP BY src_namespace, src_pod
)
ORDER BY flow_total DESC, value
LIMIT {limit:UInt32}
-- tenant = "acme"
-- cap = 2000001
-- limit = 21
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"
-- p3 = "shop/"

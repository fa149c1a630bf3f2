SELECT value, flow_total, max(set_records) OVER () AS seen, count() OVER () AS distinct_values
FROM (
  SELECT value, sum(set_total) AS flow_total, max(all_records) AS set_records
  FROM (
    SELECT id, sum(toInt64(weight)) AS set_total, sum(count()) OVER () AS all_records
    FROM (
      SELECT src_label_set AS id, weight
      FROM flows
      WHERE tenant = {tenant:String}
        AND bucket_time >= fromUnixTimestamp64Nano({p1:Int64}, 'UTC') AND bucket_time < fromUnixTimestamp64Nano({p2:Int64}, 'UTC') AND toStartOfFiveMinutes(bucket_time) BETWEEN toStartOfFiveMinutes(fromUnixTimestamp64Nano({p1:Int64}, 'UTC')) AND toStartOfFiveMinutes(fromUnixTimestamp64Nano({p2:Int64}, 'UTC'))
        AND (true)
        AND src_label_set != 0
      LIMIT {cap:UInt64}
    )
    GROUP BY id
  ) AS counted
  INNER JOIN (
    SELECT id, any(labels) AS labels FROM label_sets WHERE tenant = {tenant:String} GROUP BY id
  ) AS sets USING (id)
  ARRAY JOIN labels AS value
  WHERE startsWith(value, {prefix:String})
  GROUP BY value
)
ORDER BY flow_total DESC, value
LIMIT {limit:UInt32}
-- tenant = "acme"
-- cap = 2000001
-- limit = 21
-- prefix = ""
-- p1 = "1767261599999999999n"
-- p2 = "1767268800000000000n"

SELECT
  cluster,
  toUnixTimestamp(hour) AS hour_s,
  toString(ip) AS address,
  groupUniqArray(64)((namespace, pod, workload_kind, workload, service_namespace, service_name)) AS was
FROM endpoints
WHERE tenant = {tenant:String}
  AND hour IN (SELECT toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC'))
  AND cluster IN {clusters:Array(String)}
  AND (cluster, toUnixTimestamp(hour), toString(ip)) IN (
    SELECT asked.1, asked.2, toString(toIPv6(asked.3))
    FROM (SELECT arrayJoin(arrayZip({asked_clusters:Array(String)}, {asked_hours:Array(UInt32)}, {asked_addresses:Array(String)})) AS asked)
  )
GROUP BY cluster, hour, ip
LIMIT {limit:UInt32}
-- tenant = "acme"
-- hours = [1767265200]
-- clusters = ["eu"]
-- asked_clusters = ["eu"]
-- asked_hours = [1767265200]
-- asked_addresses = ["10.0.0.1"]
-- limit = 1

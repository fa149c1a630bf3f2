-- Who addresses were in given hours, as the nodes that run them said: one row an address and hour. More than 64 tenants of one
-- address in an hour are not told apart any more, which `readHistory` takes for not knowing.
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

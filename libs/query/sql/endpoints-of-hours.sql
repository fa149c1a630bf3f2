-- Everybody whose address was told in some hours, for streams that match inferred names in memory.
SELECT
  cluster,
  toUnixTimestamp(hour) AS hour_s,
  toString(ip) AS address,
  groupUniqArray(64)((workload, workload_kind, service_namespace, service_name)) AS was
FROM endpoints
WHERE tenant = {tenant:String}
  AND hour IN (SELECT toDateTime(arrayJoin({hours:Array(UInt32)}), 'UTC'))
  AND (workload != '' OR service_name != '')
GROUP BY cluster, hour, ip
LIMIT {limit:UInt32}

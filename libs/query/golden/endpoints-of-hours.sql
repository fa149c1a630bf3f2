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
-- tenant = "acme"
-- hours = [1767265200]
-- limit = 1000

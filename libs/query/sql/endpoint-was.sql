-- Who the client or the server was by its address in the hour of the flow, where only one answer is possible.
LEFT ANY JOIN (
  SELECT cluster AS /*party*/_was_cluster, hour AS /*party*/_was_hour, ip AS /*party*/_was_ip,
    groupUniqArray(2)((service_namespace, service_name)) AS /*party*/_was
  FROM endpoints
  WHERE tenant = {tenant:String}
    AND /*hours*/
    AND service_name != ''
  GROUP BY cluster, hour, ip
) AS /*party*/_history ON cluster = /*party*/_was_cluster
  AND toDateTime(toStartOfHour(bucket_time), 'UTC') = /*party*/_was_hour
  AND /*address*/ = /*party*/_was_ip

-- Single flows.
SELECT cluster, client_namespace, server_namespace, toInt64(weight) AS m_flows, if(is_drop, toInt64(weight), 0) AS m_drops,
  bucket_time AS m_last_seen
FROM flows
WHERE tenant = {tenant:String} AND /*range*/

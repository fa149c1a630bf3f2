-- Drops with the policies of their policy-verdict twin: same node and 5-tuple, nearest in time, at most 1 s apart. Only
-- drops that a policy can cause have a twin (hubble note 7.2).
SELECT
  *,
  if(is_drop, toInt64(weight), 0) AS m_drops,
  if(verdict = 4, toInt64(weight), 0) AS m_audited,
  arraySort(
    twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)),
    arrayFilter(twin -> abs(twin.1 - toUnixTimestamp64Nano(bucket_time)) <= 1000000000, twins)
  ) AS near_twins,
  if(drop_reason IN (133, 181, 189) AND notEmpty(near_twins), base64Encode(near_twins[1].2), '') AS twin_policies
FROM (
  SELECT _le, _lp, _lo, _li, cluster, node, bucket_time, drop_reason, traffic_direction, is_drop, verdict, weight, client_side, server_port, l4_protocol,
    client_namespace, client_workload, server_namespace, server_workload,
    src_ip, dst_ip, src_port, dst_port, src_namespace, dst_namespace, src_pod, dst_pod, src_names, dst_names,
    src_service_namespace, src_service_name, dst_service_namespace, dst_service_name/*was*/
  FROM flows
  /*history*/
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND (is_drop OR verdict = 4)
    AND (/*filter*/)
) AS dropped
LEFT JOIN (
  SELECT cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port,
    groupArray(tuple(toUnixTimestamp64Nano(bucket_time), toString(policies))) AS twins
  FROM flows
  WHERE tenant = {tenant:String}
    AND /*twin_range*/
    AND event_type = 5 AND verdict = 2
  GROUP BY cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port
) AS verdicts USING (cluster, node, src_ip, dst_ip, l4_protocol, src_port, dst_port)

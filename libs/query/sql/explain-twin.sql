-- The policy verdict of a dropped packet: same node and 5-tuple, at most 1 s apart, nearest in time (hubble note 7.2).
SELECT
  /*columns*/
FROM flows
WHERE tenant = {tenant:String}
  AND cluster = {cluster:String}
  AND /*range*/
  AND node = {node:String}
  AND src_ip = {src_ip:IPv6} AND dst_ip = {dst_ip:IPv6}
  AND l4_protocol = {l4_protocol:UInt8} AND src_port = {src_port:UInt16} AND dst_port = {dst_port:UInt16}
  AND event_type = 5 AND verdict = 2
ORDER BY abs(toUnixTimestamp64Nano(bucket_time) - {at:Int64}), _le, _lp, _lo, _li
LIMIT 1

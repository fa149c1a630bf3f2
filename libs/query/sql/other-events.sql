-- Events that are no flows (lost events, node status, agent events) of a window, in the order of time and arrival.
SELECT toUnixTimestamp64Nano(bucket_time) AS bucket_ns, time_shift, cluster, node, kind, base64Encode(bytes) AS bytes_base64, _le, _lp, _lo, _li
FROM events
WHERE tenant = {tenant:String} AND kind IN {kinds:Array(String)} AND /*range*/ AND (/*position*/)
ORDER BY bucket_time /*order*/, _le /*order*/, _lp /*order*/, _lo /*order*/, _li /*order*/
LIMIT {limit:UInt32}

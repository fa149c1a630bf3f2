-- When the source's word about a node changed: from a week before the window, so that what held at its start is known.
-- Relay says `cluster/node` where the node names its cluster, as flows do. `ours`: it was our source that could not read.
SELECT
  if(position(name, '/') > 1, splitByChar('/', name)[1], cluster) AS node_cluster,
  if(position(name, '/') > 0, substring(name, position(name, '/') + 1), name) AS node_name,
  toUnixTimestamp64Nano(bucket_time) AS at_ns,
  type,
  startsWith(text, 'flowledger:') AS ours
FROM (
  SELECT
    cluster, name, bucket_time, type, text, _le, _lp, _lo, _li,
    lagInFrame(type) OVER (PARTITION BY cluster, name ORDER BY bucket_time, _le, _lp, _lo, _li) AS type_before
  FROM events
  ARRAY JOIN nodes AS name
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND kind = 'node_status'
)
WHERE type != type_before
  AND /*scope*/
ORDER BY bucket_time, _le, _lp, _lo, _li, node_name
LIMIT {limit:UInt32}

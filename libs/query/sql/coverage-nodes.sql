-- On which nodes the endpoints of a namespace ran. A pod that was seen from other nodes only ran on one that we did not hear.
SELECT groupUniqArrayArray(nodes) AS node_names, countIf(empty(nodes)) AS unheard_pods
FROM (
  SELECT groupUniqArrayIf(concat(cluster, '/', node), party.2) AS nodes
  FROM flows
  ARRAY JOIN [(src_pod, src_endpoint_id != 0, src_namespace), (dst_pod, dst_endpoint_id != 0, dst_namespace)] AS party
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND /*scope*/
    AND (src_namespace = {namespace:String} OR dst_namespace = {namespace:String})
    AND party.3 = {namespace:String}
  GROUP BY cluster, party.1
)
LIMIT {limit:UInt32}

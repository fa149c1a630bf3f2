-- Flows of the window, and the records that show them one by one: the rest is in the weight of records that stand for several.
SELECT sum(weight) AS flow_count, count() AS record_count
FROM flows
WHERE tenant = {tenant:String}
  AND /*range*/
  AND /*scope*/
LIMIT {limit:UInt32}

-- How many flows of an answer match as sent, and how many only because workloads and services were inferred. Counted no
-- further than the cap.
SELECT countIf(as_sent) AS sent, count() AS whole
FROM (
  SELECT (/*sent*/) AS as_sent
  FROM flows
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND (/*filter*/)
  LIMIT {limit:UInt32}
)

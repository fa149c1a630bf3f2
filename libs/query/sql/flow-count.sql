-- How many flows match, counted no further than the cap.
SELECT count() AS value
FROM (
  SELECT 1
  FROM flows
  WHERE tenant = {tenant:String}
    AND /*range*/
    AND (/*filter*/)
  LIMIT {limit:UInt32}
)

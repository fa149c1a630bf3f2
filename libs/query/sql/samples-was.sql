-- Where the flows of a group are whose key may come from the endpoint history.
SELECT bucket_time, _le, _lp, _lo, _li
FROM flows
/*history*/
WHERE tenant = {tenant:String}
  AND /*range*/
  AND (/*counted*/)
  AND (/*filter*/)

-- How many flow records are stored, and how many of a time.
SELECT
  (SELECT count() FROM flows WHERE tenant = {tenant:String}) AS stored,
  (SELECT count() FROM flows WHERE tenant = {tenant:String} AND /*since*/) AS seen,
  (SELECT count() FROM flows WHERE tenant = {tenant:String} AND /*minute*/) AS last_minute

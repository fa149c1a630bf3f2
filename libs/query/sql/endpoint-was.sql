-- What the client's or the server's address was said to be in the hour of the flow.
LEFT ANY JOIN (
  SELECT cluster AS /*as*/_cluster, hour AS /*as*/_hour, ip AS /*as*/_ip, /*facts*/ AS /*as*/
  FROM endpoints
  WHERE tenant = {tenant:String}
    AND /*hours*/
    AND /*told*/
  GROUP BY cluster, hour, ip
) AS /*as*/_history ON cluster = /*as*/_cluster
  AND toDateTime(toStartOfHour(bucket_time), 'UTC') = /*as*/_hour
  AND /*address*/ = /*as*/_ip

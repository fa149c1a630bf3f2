-- When the history that a window is compared with really begins; nothing when there is none.
SELECT toUnixTimestamp64Nano(min(first_seen)) AS first_ns, count() AS row_count
FROM edges_1m
WHERE tenant = {tenant:String} AND /*range*/ AND (/*where*/)

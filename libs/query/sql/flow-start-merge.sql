-- Merges the positions of several clusters.
SELECT bucket_ns, _le, _lp, _lo, _li
FROM (/*pages*/)
ORDER BY bucket_ns DESC, _le DESC, _lp DESC, _lo DESC, _li DESC
LIMIT 1 OFFSET {skip:UInt64}

-- Where the drops are whose twin names certain policies.
SELECT bucket_time, _le, _lp, _lo, _li
FROM (/*twinned*/)
WHERE twin_policies IN /*policies*/

-- Highest log partition that was booked, by epoch.
SELECT toString(_le) AS epoch, max(_lp) AS highest
FROM load_ledger
GROUP BY _le
LIMIT 1000

-- Dead letters by reason: how many, how many wait to be given back, and when the first and the last came.
SELECT
  reason, codec,
  toString(count()) AS letters,
  toString(countIf((_le, _lp, _lo, _li) NOT IN (SELECT _le, _lp, _lo, _li FROM dead_letter_redrives))) AS open,
  formatDateTime(min(received), '%FT%TZ', 'UTC') AS first,
  formatDateTime(max(received), '%FT%TZ', 'UTC') AS last,
  argMax(concat(toString(_le), '/', toString(_lp), '/', toString(_lo), '/', toString(_li)), received) AS example
FROM dead_letters FINAL
GROUP BY reason, codec
ORDER BY count() DESC, reason, codec
LIMIT 1000

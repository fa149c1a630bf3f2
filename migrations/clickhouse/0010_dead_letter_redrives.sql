-- Dead letters that were given back to the log; the letters themselves stay, because the books count them.
CREATE TABLE IF NOT EXISTS dead_letter_redrives{{ON_CLUSTER}}
(
  _le UInt64,
  _lp UInt16,
  _lo UInt64 CODEC(Delta, ZSTD(1)),
  _li UInt32 CODEC(Delta, ZSTD(1)),
  redriven DateTime64(3, 'UTC')
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
ORDER BY (_le, _lp, _lo, _li);

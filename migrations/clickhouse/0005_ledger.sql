-- The books: which log offsets were loaded, and what became of every event that is in no table of facts.
CREATE TABLE IF NOT EXISTS load_ledger{{ON_CLUSTER}}
(
  _le UInt64,
  _lp UInt16,
  from_offset UInt64 CODEC(Delta, ZSTD(1)),
  to_offset UInt64 COMMENT 'inclusive' CODEC(Delta, ZSTD(1)),
  events UInt64 COMMENT 'events in those envelopes = flows + other_events + duplicates + dead + skipped',
  flows UInt64,
  other_events UInt64,
  duplicates UInt64,
  dead UInt64,
  skipped UInt64,
  min_minute DateTime('UTC'),
  max_minute DateTime('UTC'),
  first_received DateTime64(3, 'UTC'),
  last_received DateTime64(3, 'UTC')
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
ORDER BY (_le, _lp, from_offset);

CREATE TABLE IF NOT EXISTS dead_letters{{ON_CLUSTER}}
(
  _le UInt64,
  _lp UInt16,
  _lo UInt64 CODEC(Delta, ZSTD(1)),
  _li UInt32 CODEC(Delta, ZSTD(1)),
  tenant LowCardinality(String),
  cluster LowCardinality(String),
  node LowCardinality(String),
  received DateTime64(3, 'UTC'),
  source LowCardinality(String),
  codec LowCardinality(String),
  reason LowCardinality(String),
  size UInt64 COMMENT 'bytes of the original; `bytes` keeps the first 64 KiB',
  bytes String CODEC(ZSTD(3))
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
PARTITION BY toYYYYMM(received)
ORDER BY (_le, _lp, _lo, _li);

-- Events that were understood and rightly not stored: duplicates, kinds we do not keep, control events.
CREATE TABLE IF NOT EXISTS skipped_events{{ON_CLUSTER}}
(
  _le UInt64,
  _lp UInt16,
  _lo UInt64 CODEC(Delta, ZSTD(1)),
  _li UInt32 CODEC(Delta, ZSTD(1)),
  reason LowCardinality(String),
  event_key UInt64,
  received DateTime64(3, 'UTC')
)
ENGINE = {{ENGINE:ReplacingMergeTree}}
PARTITION BY toYYYYMM(received)
ORDER BY (_le, _lp, _lo, _li)
TTL toDateTime(received) + toIntervalDay({{ROLLUP_TTL_DAYS}});

-- Batches whose outcome was uncertain and were verified; minutes listed here without `done` are being repaired.
CREATE TABLE IF NOT EXISTS load_repairs{{ON_CLUSTER}}
(
  _le UInt64,
  _lp UInt16,
  from_offset UInt64,
  to_offset UInt64,
  min_minute DateTime('UTC'),
  max_minute DateTime('UTC'),
  rows_missing UInt64,
  rollup_rows_corrected UInt64,
  done UInt8
)
ENGINE = {{ENGINE:ReplacingMergeTree(done)}}
ORDER BY (_le, _lp, from_offset);

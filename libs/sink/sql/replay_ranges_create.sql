-- What a replay covers; lies beside its tables, so that a swap can be finished by whoever finds it.
CREATE TABLE IF NOT EXISTS replay_ranges (_le UInt64, _lp UInt16, from_offset UInt64) ENGINE = MergeTree ORDER BY _lp

-- Notes the first replayed offset of one partition.
INSERT INTO replay_ranges (_le, _lp, from_offset) SELECT {epoch:UInt64}, {partition:UInt16}, {from:UInt64}

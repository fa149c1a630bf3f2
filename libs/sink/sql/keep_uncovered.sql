-- Takes over into the replay what the log does not cover.
INSERT INTO /*beside*/./*table*/ (/*columns*/)
SELECT /*columns*/ FROM /*table*/ FINAL
WHERE _le != {epoch:UInt64} OR arrayExists((lp, first) -> _lp = lp AND /*offset*/ < first, {partitions:Array(UInt16)}, {firsts:Array(UInt64)})

-- Takes over into the replay the live rows of those days.
INSERT INTO /*beside*/./*table*/ (/*columns*/)
SELECT /*columns*/ FROM /*table*/
WHERE has({days:Array(String)}, formatDateTime(toDate(bucket), '%Y%m%d'))

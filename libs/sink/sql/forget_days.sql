-- Removes the replayed rows of days that the log covers only in part.
ALTER TABLE /*beside*/./*table*/ DELETE WHERE has({days:Array(String)}, formatDateTime(toDate(bucket), '%Y%m%d'))

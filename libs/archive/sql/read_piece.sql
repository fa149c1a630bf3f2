-- One piece of a table: rows with equal sort keys are in the same piece, so merges meanwhile change no piece.
SELECT /*columns*/
FROM /*table*/
WHERE _partition_id = {id:String} AND sipHash64(/*key*/) % {pieces:UInt32} = {piece:UInt32}

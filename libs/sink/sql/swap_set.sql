-- Adds the replayed rows of a table that is a set.
INSERT INTO /*table*/ (/*columns*/) SELECT /*columns*/ FROM /*beside*/./*table*/

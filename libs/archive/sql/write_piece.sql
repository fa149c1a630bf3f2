-- A piece goes into a table without views; it reaches the live one by its partition.
INSERT INTO /*table*/ (/*columns*/)

-- Puts a filled partition in its place. Doing it twice changes nothing; views are not told.
ALTER TABLE /*table*/ REPLACE PARTITION ID '/*id*/' FROM /*staging*/./*table*/

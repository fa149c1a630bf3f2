-- Puts the replayed rows of one partition in the place of the live ones. Doing it twice changes nothing.
ALTER TABLE /*table*/ REPLACE PARTITION ID '/*id*/' FROM /*beside*/./*table*/

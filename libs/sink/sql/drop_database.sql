-- Removes the tables of a replay.
DROP DATABASE IF EXISTS {database:Identifier} SYNC

-- Ends what still writes for one partition.
KILL QUERY WHERE startsWith(Settings['insert_deduplication_token'], {prefix:String}) ASYNC

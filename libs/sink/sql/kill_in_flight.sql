-- Ends what still writes for one partition.
KILL QUERY WHERE current_database = currentDatabase() AND startsWith(Settings['insert_deduplication_token'], {prefix:String}) ASYNC

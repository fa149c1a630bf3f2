-- What a materialised view computes, as the engine keeps it.
SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = {view:String}

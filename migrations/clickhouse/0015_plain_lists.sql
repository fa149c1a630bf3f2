-- Lists of texts that are mostly empty, without dictionaries. A merge copies a dictionary for each part of such a list, also when it
-- is empty: nine of them were a third of what merging `flows` took (10.3 to 6.5 us a row, measured with all nine). `src_workloads`
-- and `dst_workloads` keep theirs, as they would double in size.
ALTER TABLE flows{{ON_CLUSTER}}
  MODIFY COLUMN src_names Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN dst_names Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN policy_log Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN http_header_keys Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN dns_cnames Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN dns_qtypes Array(String) CODEC(ZSTD(1)),
  MODIFY COLUMN dns_rrtypes Array(String) CODEC(ZSTD(1));

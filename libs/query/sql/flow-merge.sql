-- Merges the limited pages of several clusters; bucket_ns and identity order them as in each page.
SELECT
  /*names*/
FROM (/*pages*/)
ORDER BY bucket_ns /*order*/, _le /*order*/, _lp /*order*/, _lo /*order*/, _li /*order*/
LIMIT {limit:UInt32}

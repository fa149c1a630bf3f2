/** Path of the public import endpoint: the file as the body, gzip or plain. */
export const IMPORT_PATH = '/v1/import';

/** Path at which dead letters are given back to the log: one JSON line a letter (libs/ingest `RedrivenLetter`). */
export const REDRIVE_PATH = '/v1/redrive';

/** Path of the export; the query is described at `readExportQuery`. */
export const EXPORT_PATH = '/v1/export/flows.parquet';
/** Header that says what the answer cannot hold. */
export const MISSING_HEADER = 'flowledger-missing';

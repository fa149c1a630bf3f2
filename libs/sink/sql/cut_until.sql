-- Up to when single flows and events were, or will be, removed before their time; 0 when never.
SELECT toUnixTimestamp(max(until)) AS until FROM retention_cuts WHERE class = 'raw'

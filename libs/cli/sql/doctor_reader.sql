-- 0: may change data and settings.
SELECT toString(getSetting('readonly')) AS readonly

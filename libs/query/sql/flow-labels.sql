-- Labels of label sets by their hash.
SELECT id, any(labels) AS labels
FROM label_sets
WHERE tenant = {tenant:String} AND id IN {ids:Array(UInt64)}
GROUP BY id

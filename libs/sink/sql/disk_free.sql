-- Bytes that the tables' disk has left.
SELECT toString(min(unreserved_space)) AS free FROM system.disks WHERE name = 'default'

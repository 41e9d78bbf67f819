-- Names made from these are cut by the server; two that are cut alike must stay apart.
CREATE TABLE a23456789_123456789_123456789_123456789_123456789_123456789_123 (id integer);

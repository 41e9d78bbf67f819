\connect shop
\i other.sql
CREATE TABLE a (id int);
\d a

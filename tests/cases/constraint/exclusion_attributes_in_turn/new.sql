-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE EXTENSION btree_gist;
CREATE TABLE t1 (a integer, r int4range, CONSTRAINT x1 EXCLUDE USING gist (a WITH =, r WITH -|-));
CREATE TABLE t2 (a integer, r int4range, CONSTRAINT x2 EXCLUDE USING gist (a WITH =, r WITH &&) WHERE (a > 0));
CREATE TABLE t3 (a integer, r int4range, CONSTRAINT x3 EXCLUDE USING gist (a WITH =, r WITH &&) WHERE (a > 1));
CREATE TABLE t4 (a integer, r int4range, CONSTRAINT x4 EXCLUDE USING gist (r WITH &&) INCLUDE (a));
CREATE TABLE t5 (a integer, r int4range, CONSTRAINT x5 EXCLUDE USING gist (a WITH =, r WITH &&) WITH (fillfactor = 60));
CREATE TABLE t6 (a integer, r int4range, CONSTRAINT x6 EXCLUDE USING gist (a WITH =, r WITH &&) DEFERRABLE);
CREATE TABLE t7 (a integer, r int4range, CONSTRAINT x7 EXCLUDE USING gist (a WITH =, r WITH &&) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE t8 (a integer, r int4range, CONSTRAINT x8 EXCLUDE USING btree (a WITH =));
CREATE TABLE t9 (a integer, r int4range, CONSTRAINT x9 EXCLUDE USING hash (a WITH =));
CREATE TABLE t10 (a integer, r int4range, CONSTRAINT x10 EXCLUDE USING spgist (r WITH &&));
CREATE TABLE t11 (a integer, r int4range, CONSTRAINT x11 EXCLUDE USING gist (a WITH =, r WITH &&));

-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE TABLE t1 (a integer, b integer, c integer, CONSTRAINT u1 UNIQUE (a) INCLUDE (b));
CREATE TABLE t2 (a integer, b integer, c integer, CONSTRAINT u2 UNIQUE (a) INCLUDE (b, c));
CREATE TABLE t3 (a integer, b integer, c integer, CONSTRAINT u3 UNIQUE (a) WITH (fillfactor = 60));
CREATE TABLE t4 (a integer, b integer, c integer, CONSTRAINT u4 UNIQUE (a) WITH (fillfactor = 70));
CREATE TABLE t5 (a integer, b integer, c integer, CONSTRAINT u5 UNIQUE (a) USING INDEX TABLESPACE aside);
CREATE TABLE t6 (a integer, b integer, c integer, CONSTRAINT u6 UNIQUE (a) DEFERRABLE);
CREATE TABLE t7 (a integer, b integer, c integer, CONSTRAINT u7 UNIQUE (a) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE t8 (a integer, b integer, c integer, CONSTRAINT u8 UNIQUE NULLS NOT DISTINCT (a));
CREATE TABLE t9 (a integer, b integer, c integer, CONSTRAINT u9 UNIQUE (a, b));
CREATE TABLE t10 (a integer, b integer, c integer, CONSTRAINT u10 UNIQUE (a));

CREATE TABLE t1 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k1 PRIMARY KEY (a));
CREATE TABLE t2 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k2 PRIMARY KEY (a) INCLUDE (b));
CREATE TABLE t3 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k3 PRIMARY KEY (a) INCLUDE (b, c));
CREATE TABLE t4 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k4 PRIMARY KEY (a) WITH (fillfactor = 60));
CREATE TABLE t5 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k5 PRIMARY KEY (a) DEFERRABLE);
CREATE TABLE t6 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k6 PRIMARY KEY (a) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE t7 (a integer NOT NULL, b integer NOT NULL, c integer, CONSTRAINT k7 PRIMARY KEY (b, a));

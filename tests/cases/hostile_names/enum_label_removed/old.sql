CREATE TYPE "user" AS ENUM ('it''s', '''; DROP TABLE people; --', 'a"b');
CREATE TABLE people (id integer, "table" "user" DEFAULT 'a"b');

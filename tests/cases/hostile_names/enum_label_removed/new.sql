CREATE TYPE "user" AS ENUM ('it''s', 'a"b');
CREATE TABLE people (id integer, "table" "user" DEFAULT 'a"b');

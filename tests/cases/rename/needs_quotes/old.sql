CREATE TABLE "Old Table" (id integer, "Old Column" text);

CREATE TABLE "Log" (id integer PRIMARY KEY, "At" date NOT NULL);

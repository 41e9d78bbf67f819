CREATE TABLE "Ta""ble's $$ \n;--" (id integer PRIMARY KEY, "first's" text NOT NULL, "select" text);

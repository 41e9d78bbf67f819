CREATE TABLE "Ta""ble's $$ \n;--" (id integer PRIMARY KEY, "full $$ ""name""" text NOT NULL);

CREATE TABLE "Ta""ble's $$ \n;--" ("I""d" bigint PRIMARY KEY);
CREATE TABLE "pro\files'" ("user" bigint NOT NULL UNIQUE, "ph'one $$" text NOT NULL);

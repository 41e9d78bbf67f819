CREATE TABLE "Ta""ble's $$ \n;--" ("I""d" bigint PRIMARY KEY, "ph'one $$" text NOT NULL);
CREATE TABLE "pro\files'" ("user" bigint NOT NULL UNIQUE);

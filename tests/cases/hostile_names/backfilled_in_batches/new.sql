CREATE TABLE "Ta""ble's $$ \n;--" ("k'e""y $$" text, "TWO" integer, "n'e""w $$" text NOT NULL, PRIMARY KEY ("k'e""y $$", "TWO"));

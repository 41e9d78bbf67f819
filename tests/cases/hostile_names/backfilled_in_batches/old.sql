CREATE TABLE "Ta""ble's $$ \n;--" ("k'e""y $$" text, "TWO" integer, PRIMARY KEY ("k'e""y $$", "TWO"));

CREATE TABLE "Ta""ble's $$ \n;--" ("I""d" bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT "k'""" PRIMARY KEY, n bigserial);
CREATE INDEX "in""dex'" ON "Ta""ble's $$ \n;--" (n);
CREATE TABLE "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1" (a integer);
CREATE TABLE "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx2" (a integer);
CREATE TABLE "T" (a integer);
CREATE TABLE t (a integer);

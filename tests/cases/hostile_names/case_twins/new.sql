CREATE TABLE contacts (id integer, name text, "Name" text);
CREATE TABLE "Contacts" (id bigint, name text);
CREATE TABLE "CONTACTS" (other date);
CREATE INDEX contacts_idx ON contacts (name);
CREATE INDEX "Contacts_idx" ON "Contacts" (name);

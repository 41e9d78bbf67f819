CREATE SCHEMA attic;
CREATE TABLE attic.faxes (id bigint PRIMARY KEY, "number" text);
CREATE INDEX faxes_number ON attic.faxes ("number");

CREATE TABLE faxes (id bigserial PRIMARY KEY, "number" text);
CREATE INDEX faxes_number ON faxes ("number");
CREATE TABLE "Odd Faxes" (id bigint PRIMARY KEY);

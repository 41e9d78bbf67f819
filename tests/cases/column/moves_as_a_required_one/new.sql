CREATE TABLE "Users" ("Id" bigint, tenant bigint, PRIMARY KEY (tenant, "Id"));
CREATE TABLE "Profiles" (tenant bigint NOT NULL, "user" bigint NOT NULL, "Phone" text NOT NULL, UNIQUE (tenant, "user"));

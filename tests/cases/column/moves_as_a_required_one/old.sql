CREATE TABLE "Users" ("Id" bigint, tenant bigint, "Phone" text NOT NULL, PRIMARY KEY (tenant, "Id"));
CREATE TABLE "Profiles" (tenant bigint NOT NULL, "user" bigint NOT NULL, UNIQUE (tenant, "user"));

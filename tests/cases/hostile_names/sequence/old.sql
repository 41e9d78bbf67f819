CREATE TABLE "Orders" ("Number" bigint);

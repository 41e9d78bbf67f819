CREATE TABLE "it's a ""table""" ("NEW" json, "a""b" json, "$$" numeric DEFAULT 1.50);

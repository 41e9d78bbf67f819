INSERT INTO "it's a ""table""" VALUES ('1', '{"a": 1}', 7);

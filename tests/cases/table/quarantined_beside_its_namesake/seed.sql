INSERT INTO faxes ("number") VALUES ('1'), ('2'); INSERT INTO attic.faxes VALUES (7, 'old'); INSERT INTO "Odd Faxes" VALUES (1);

CREATE TABLE letters (id bigint PRIMARY KEY, fax boolean);
CREATE VIEW faxes AS SELECT id FROM letters WHERE fax;

CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts TO app_reader USING (id > 0);
CREATE POLICY all_roles ON contacts TO app_reader USING (id > 0);

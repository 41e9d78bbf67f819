CREATE TABLE contacts (id integer);
CREATE POLICY visible ON contacts TO app_writer, "Odd Role", anon USING (id > 0);
CREATE POLICY all_roles ON contacts USING (id > 0);

CREATE TABLE contacts (id bigint);
ALTER TABLE contacts ALTER COLUMN id SET NOT NULL;
ALTER TABLE contacts ADD COLUMN name text;
ALTER TABLE ONLY public.contacts ALTER COLUMN name SET DEFAULT 'x';
ALTER TABLE contacts ADD COLUMN age integer;
CREATE VIEW v AS SELECT id FROM contacts;
ALTER VIEW v SET (security_invoker = true);

CREATE TABLE contacts (id integer);
CREATE TABLE members (contact_id bigint, active boolean);
CREATE POLICY visible ON contacts USING (EXISTS (SELECT FROM members m WHERE m.contact_id = contacts.id AND m.active));

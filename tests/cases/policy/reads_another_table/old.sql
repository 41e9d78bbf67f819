CREATE TABLE contacts (id integer);
CREATE TABLE members (contact_id integer);
CREATE POLICY visible ON contacts USING (EXISTS (SELECT FROM members m WHERE m.contact_id = contacts.id));

CREATE TABLE contacts (id integer, phone text, user_id integer NOT NULL DEFAULT 1,
    CONSTRAINT contacts_pkey PRIMARY KEY (user_id, id), CONSTRAINT contacts_phone_key UNIQUE (user_id, phone));
CREATE TABLE messages (contact_id integer, user_id integer NOT NULL DEFAULT 1,
    CONSTRAINT messages_contact_id_fkey FOREIGN KEY (user_id, contact_id) REFERENCES contacts);

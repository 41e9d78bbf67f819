CREATE TABLE contacts (id integer, user_id integer NOT NULL DEFAULT 1, CONSTRAINT contacts_key UNIQUE (user_id, id));
CREATE TABLE tags (id integer PRIMARY KEY, user_id integer, contact_id integer,
    CONSTRAINT tags_contact_fkey FOREIGN KEY (user_id, contact_id) REFERENCES contacts (user_id, id));

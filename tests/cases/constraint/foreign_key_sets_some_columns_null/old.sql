CREATE TABLE contacts (user_id integer, id integer, PRIMARY KEY (user_id, id));
CREATE TABLE messages (user_id integer, contact_id integer,
    CONSTRAINT contact FOREIGN KEY (user_id, contact_id) REFERENCES contacts ON DELETE SET NULL);

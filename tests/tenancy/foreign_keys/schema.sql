CREATE SCHEMA app;
CREATE FUNCTION app.tenant() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant', true), '')::integer;
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL);
CREATE TABLE chats (id serial PRIMARY KEY, code text, UNIQUE (code));
CREATE TABLE messages (
    id serial PRIMARY KEY,
    chat_id integer NOT NULL REFERENCES chats ON DELETE CASCADE,
    reply_to integer CONSTRAINT replies REFERENCES messages (id) MATCH FULL ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    chat_code text,
    forwarded integer NOT NULL DEFAULT 0,
    CONSTRAINT by_code FOREIGN KEY (chat_code) REFERENCES chats (code) ON UPDATE CASCADE ON DELETE SET DEFAULT,
    FOREIGN KEY (forwarded) REFERENCES messages (id) NOT VALID
);
CREATE TABLE attachments (id integer NOT NULL, message_id integer, sort integer);
ALTER TABLE ONLY attachments ADD CONSTRAINT attachments_pkey PRIMARY KEY (id);
ALTER TABLE ONLY attachments
    ADD CONSTRAINT attachments_message_fkey FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE RESTRICT,
    ADD CONSTRAINT attachments_sort CHECK (sort > 0);
CREATE TABLE ready (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    message_id integer,
    FOREIGN KEY (message_id, user_id) REFERENCES messages (id, user_id)
);

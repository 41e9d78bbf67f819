CREATE TABLE contacts (id integer, name text);
CREATE TABLE messages (contact_id integer, body text);
CREATE VIEW public.letters AS
    SELECT contacts.name, messages.body
    FROM (public.contacts JOIN public.messages ON ((contacts.id = messages.contact_id)))
    WHERE (contacts.name ~~ 'A%'::text);

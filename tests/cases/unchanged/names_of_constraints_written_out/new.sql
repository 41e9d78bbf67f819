CREATE TABLE contacts (
    id integer NOT NULL,
    phone text,
    age integer,
    boss integer,
    CONSTRAINT contacts_age_check CHECK (age > 0)
);
ALTER TABLE contacts ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);
ALTER TABLE contacts ADD CONSTRAINT contacts_phone_key UNIQUE (phone);
ALTER TABLE contacts ADD CONSTRAINT contacts_boss_fkey FOREIGN KEY (boss) REFERENCES contacts (id) MATCH SIMPLE ON DELETE NO ACTION NOT DEFERRABLE;

-- The first step from one tenant to many: a client that knows nothing of tenants goes on working.
CREATE TABLE contacts (id serial PRIMARY KEY, phone_number varchar(255) UNIQUE NOT NULL);

CREATE TABLE contacts ( -- tenantry: was people
    id integer,
    name text
);

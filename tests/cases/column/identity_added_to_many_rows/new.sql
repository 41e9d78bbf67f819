CREATE TABLE contacts (
    name text,
    code bigint PRIMARY KEY,
    id integer GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10) UNIQUE
);

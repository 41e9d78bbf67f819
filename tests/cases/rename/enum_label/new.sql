CREATE TYPE mood AS ENUM (
    'unhappy', -- tenantry: was sad
    'ok'
);
CREATE TABLE people (id integer, mood mood DEFAULT 'unhappy');

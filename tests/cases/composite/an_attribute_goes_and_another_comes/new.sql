CREATE TYPE place AS (street varchar, code text);

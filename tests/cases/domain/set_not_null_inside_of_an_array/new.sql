CREATE DOMAIN code AS text NOT NULL;
CREATE TABLE parcels (id integer, codes code[]);

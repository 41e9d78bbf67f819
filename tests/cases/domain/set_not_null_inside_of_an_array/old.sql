CREATE DOMAIN code AS text;
CREATE TABLE parcels (id integer, codes code[]);

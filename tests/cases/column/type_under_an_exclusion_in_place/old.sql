CREATE EXTENSION btree_gist;
CREATE TABLE public.stays (room integer, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));

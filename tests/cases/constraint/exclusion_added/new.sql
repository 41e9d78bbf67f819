CREATE EXTENSION btree_gist;
CREATE TABLE bookings (
    room integer,
    during tsrange,
    CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0) DEFERRABLE
);

CREATE TABLE bookings (id integer PRIMARY KEY, during tsrange, place integer, marks jsonb[]);

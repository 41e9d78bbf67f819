CREATE TABLE bookings (id integer PRIMARY KEY, during tsrange, place integer, "the ""note" text NOT NULL);

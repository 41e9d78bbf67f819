CREATE TABLE bookings (id integer PRIMARY KEY, during tsrange, place integer NOT NULL DEFAULT 0, "the ""note" text NOT NULL);

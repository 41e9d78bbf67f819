CREATE TABLE bookings (id integer PRIMARY KEY, during tstzrange, place uuid, "the ""note" jsonb NOT NULL);

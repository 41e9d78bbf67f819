CREATE TABLE bookings (id integer PRIMARY KEY, during tstzrange, place uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', "the ""note" jsonb NOT NULL);

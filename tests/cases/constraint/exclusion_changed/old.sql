CREATE TABLE bookings (during tsrange, CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&));

CREATE TABLE bookings (a integer, b integer);

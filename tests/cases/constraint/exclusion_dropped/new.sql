CREATE TABLE bookings (during tsrange);

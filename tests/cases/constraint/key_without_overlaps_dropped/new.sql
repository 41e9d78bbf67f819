CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, open tsrange);
CREATE TABLE bookings (room_id integer, during tsrange);

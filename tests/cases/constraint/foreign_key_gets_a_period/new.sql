CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, open tsrange, UNIQUE (id, open), CONSTRAINT temporal UNIQUE (id, open WITHOUT OVERLAPS));
CREATE TABLE bookings (room_id integer, during tsrange, CONSTRAINT room FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms (id, PERIOD open));

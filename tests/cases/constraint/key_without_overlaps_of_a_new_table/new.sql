CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, open tsrange, PRIMARY KEY (id, open WITHOUT OVERLAPS));
CREATE TABLE bookings (id integer, room_id integer, during tsrange, PRIMARY KEY (id, during WITHOUT OVERLAPS),
                       FOREIGN KEY (room_id, PERIOD during) REFERENCES rooms);
COMMENT ON CONSTRAINT rooms_pkey ON rooms IS 'one state at a time';

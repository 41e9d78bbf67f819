CREATE TABLE teams (id integer PRIMARY KEY, captain integer);
CREATE TABLE players (id integer PRIMARY KEY, team integer REFERENCES teams);
ALTER TABLE teams ADD FOREIGN KEY (captain) REFERENCES players;

-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE TABLE parents (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE child_1 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) MATCH FULL);
CREATE TABLE child_2 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE CASCADE);
CREATE TABLE child_3 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE RESTRICT ON UPDATE CASCADE);
CREATE TABLE child_4 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE SET NULL (a) ON UPDATE SET NULL);
CREATE TABLE child_5 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) ON DELETE SET DEFAULT (b));
CREATE TABLE child_6 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) DEFERRABLE);
CREATE TABLE child_7 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE child_8 (a integer, b integer DEFAULT 1, CONSTRAINT parent FOREIGN KEY (a, b) REFERENCES parents (a, b));

-- The second new label stands beside one that does not exist yet.
CREATE TYPE mood AS ENUM ('sad', 'happy');

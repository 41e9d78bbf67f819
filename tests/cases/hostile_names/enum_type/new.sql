CREATE TYPE "Mood; DROP" AS ENUM ('it''s', '''); DROP TABLE users; --', 'b', 'two
lines', '"', '\', '$$', '', ' ', '{a,b}', 'Grüße 🙂');
CREATE TYPE "mood; drop" AS ENUM ('x');
CREATE TABLE people (mood "Mood; DROP" DEFAULT 'it''s', other "mood; drop"[] DEFAULT '{x}');

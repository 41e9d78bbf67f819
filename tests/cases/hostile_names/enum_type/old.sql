CREATE TYPE "Mood; DROP" AS ENUM ('it''s', 'b');

CREATE TYPE mood AS ENUM ('furious', 'angry', 'sad', 'so so', 'ok', 'happy', 'elated', 'ecstatic');

CREATE TYPE mood AS ENUM ('ok', 'OK', 'Ok');

CREATE PROCEDURE note(n integer) LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', n; END $$;

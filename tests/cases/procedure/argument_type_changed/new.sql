CREATE PROCEDURE note(n text) LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '%', n; END $$;

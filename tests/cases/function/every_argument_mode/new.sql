CREATE FUNCTION modes(IN a integer, INOUT b text, OUT c date, VARIADIC d text[] DEFAULT '{}'::text[]) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN c := CURRENT_DATE; END $$;

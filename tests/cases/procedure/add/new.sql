CREATE PROCEDURE greet(IN who text, INOUT answer text DEFAULT NULL)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
    AS $$ BEGIN answer := 'hello ' || who; END $$;

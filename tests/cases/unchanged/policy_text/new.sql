CREATE TABLE contacts (id integer, user_id integer);
CREATE POLICY tenant ON public.contacts
    USING (((user_id = ( SELECT (current_setting('app.tenant'::text, true))::integer AS current_setting)) AND (id = ANY (ARRAY[1, 2]))));

CREATE TABLE contacts (id integer PRIMARY KEY, name text);
CREATE FUNCTION put(contact integer, called text) RETURNS SETOF text LANGUAGE sql
BEGIN ATOMIC
  MERGE INTO contacts c USING (SELECT contact AS id) s ON s.id = c.id
  WHEN MATCHED THEN UPDATE SET name = called
  WHEN NOT MATCHED THEN INSERT VALUES (contact, called)
  RETURNING coalesce(old.name, new.name);
END;

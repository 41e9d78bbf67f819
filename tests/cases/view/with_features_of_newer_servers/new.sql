CREATE TABLE contacts (id integer, data jsonb);
CREATE VIEW tags AS
  SELECT contacts.id, tag.name FROM contacts, JSON_TABLE(contacts.data, '$.tags[*]' COLUMNS (name text PATH '$')) AS tag;
CREATE VIEW scalars AS SELECT JSON_VALUE(data, '$.a' RETURNING integer DEFAULT 1 ON EMPTY) AS a, ANY_VALUE(id) AS b FROM contacts GROUP BY data;

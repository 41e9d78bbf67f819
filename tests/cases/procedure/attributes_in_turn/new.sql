-- Each is what the next one was: an attribute comes, becomes another and goes.
CREATE PROCEDURE p1(a integer) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE PROCEDURE p2(a integer) LANGUAGE sql SET search_path = '' AS 'SELECT 1';
CREATE PROCEDURE p3(a integer) LANGUAGE sql SET search_path = public, pg_temp AS 'SELECT 1';
CREATE PROCEDURE p4(a integer) LANGUAGE sql AS 'SELECT 1';

CREATE TABLE p (id serial PRIMARY KEY, t text);
GRANT USAGE, SELECT ON SEQUENCE p_id_seq TO app_writer;
GRANT INSERT ON p TO app_writer;
COMMENT ON SEQUENCE p_id_seq IS 'numbers';

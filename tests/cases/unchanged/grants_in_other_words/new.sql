CREATE SEQUENCE numbers;
GRANT SELECT ON numbers TO app_reader;
GRANT USAGE ON SEQUENCE numbers TO app_reader;
GRANT ALL ON SEQUENCE numbers TO app_writer;

CREATE SEQUENCE order_numbers;
ALTER SEQUENCE order_numbers OWNER TO app_owner;
COMMENT ON SEQUENCE order_numbers IS 'Without gaps, if all goes well';
GRANT USAGE ON SEQUENCE order_numbers TO app_writer;
GRANT SELECT ON SEQUENCE order_numbers TO app_reader;

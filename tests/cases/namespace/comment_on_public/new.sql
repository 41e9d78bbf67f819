COMMENT ON SCHEMA public IS 'The application''s tables';

-- The application's role as it would be set up: it writes its tenant's rows and reads what is everybody's.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO swift_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO swift_app;
REVOKE ALL ON plans, checkpoints, checkpoint_blobs, checkpoint_writes, checkpoint_migrations FROM swift_app;
GRANT SELECT ON plans TO swift_app;

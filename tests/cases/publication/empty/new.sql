CREATE PUBLICATION supabase_realtime;

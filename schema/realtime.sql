-- What the front end follows while it is open: Realtime sends each login the rows that policies show it.
ALTER PUBLICATION supabase_realtime ADD TABLE actions, contacts, orders;

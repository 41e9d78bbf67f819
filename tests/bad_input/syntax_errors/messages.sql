CREATE TABLE messages (
    id serial PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT now(
);

CREATE TABLE users (id integer PRIMARY KEY, default_chatbot_id integer);
CREATE TABLE chatbots (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users, UNIQUE (user_id, id));
ALTER TABLE users ADD FOREIGN KEY (id, default_chatbot_id) REFERENCES chatbots (user_id, id);

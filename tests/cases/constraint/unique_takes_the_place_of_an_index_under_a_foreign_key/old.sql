CREATE TABLE contacts (phone text);
CREATE UNIQUE INDEX contacts_phone_key ON contacts (phone);
CREATE TABLE calls (phone text CONSTRAINT calls_phone_fkey REFERENCES contacts (phone));
CREATE TABLE words (word text, said integer);
CREATE UNIQUE INDEX words_by_word ON words (word);
CREATE TABLE uses (word text CONSTRAINT uses_word_fkey REFERENCES words (word));
CREATE TABLE marks (n integer, at integer);
CREATE UNIQUE INDEX marks_n ON marks (n) INCLUDE (at);
CREATE TABLE meant (n integer CONSTRAINT meant_n_fkey REFERENCES marks (n) ON DELETE CASCADE);

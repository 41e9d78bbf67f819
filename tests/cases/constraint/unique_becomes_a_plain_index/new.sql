CREATE TABLE contacts (phone text);
CREATE UNIQUE INDEX contacts_phone_key ON contacts (phone);
CREATE TABLE words (word text);
CREATE UNIQUE INDEX words_by_word ON words (word);
COMMENT ON INDEX words_by_word IS 'once';

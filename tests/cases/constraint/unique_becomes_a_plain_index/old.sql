CREATE TABLE contacts (phone text, CONSTRAINT contacts_phone_key UNIQUE (phone));
CREATE TABLE words (word text, CONSTRAINT words_word UNIQUE (word));
COMMENT ON CONSTRAINT words_word ON words IS 'once';

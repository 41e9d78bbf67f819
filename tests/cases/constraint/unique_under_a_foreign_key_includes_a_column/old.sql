CREATE TABLE words (word text, said integer, CONSTRAINT words_word UNIQUE (word));
CREATE TABLE uses (word text CONSTRAINT uses_word_fkey REFERENCES words (word));

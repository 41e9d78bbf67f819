--
-- PostgreSQL database dump
--

\restrict Zr5mdFJ8F4G3bxvjqYp1dq72d4SC5q5Qdu9ZH6yzWKVUrwhhe3FVSwc7DqTjhIh

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: keeper
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO keeper;

--
-- Name: SCHEMA app; Type: COMMENT; Schema: -; Owner: keeper
--

COMMENT ON SCHEMA app IS 'the app; with a semicolon';


--
-- Name: ger; Type: COLLATION; Schema: app; Owner: postgres
--

CREATE COLLATION app.ger (provider = icu, locale = 'de');


ALTER COLLATION app.ger OWNER TO postgres;

--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: email; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.email AS public.citext
	CONSTRAINT email_check CHECK ((VALUE OPERATOR(public.~) '@'::public.citext));


ALTER DOMAIN app.email OWNER TO postgres;

--
-- Name: frange; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.frange AS RANGE (
    subtype = double precision,
    multirange_type_name = app.fmultirange
);


ALTER TYPE app.frange OWNER TO postgres;

--
-- Name: mood; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.mood AS ENUM (
    'sad',
    'it''s ok',
    'happy;'
);


ALTER TYPE app.mood OWNER TO postgres;

--
-- Name: TYPE mood; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TYPE app.mood IS 'm';


--
-- Name: pair; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.pair AS (
	a integer,
	b text
);


ALTER TYPE app.pair OWNER TO postgres;

--
-- Name: CAST (app.pair AS text); Type: CAST; Schema: -; Owner: -
--

CREATE CAST (app.pair AS text) WITH INOUT;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: posts; Type: TABLE; Schema: app; Owner: keeper
--

CREATE TABLE app.posts (
    id integer NOT NULL,
    author bigint NOT NULL,
    best_reply integer,
    title text COLLATE pg_catalog."C",
    slug text GENERATED ALWAYS AS (lower(title)) STORED,
    tags text[],
    during tstzrange
);
ALTER TABLE ONLY app.posts ALTER COLUMN title SET (n_distinct=5);
ALTER TABLE ONLY app.posts ALTER COLUMN tags SET STATISTICS 500;
ALTER TABLE ONLY app.posts ALTER COLUMN tags SET STORAGE EXTERNAL;

ALTER TABLE ONLY app.posts REPLICA IDENTITY FULL;


ALTER TABLE app.posts OWNER TO keeper;

--
-- Name: atomic(integer); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.atomic(x integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (atomic.x > 1) THEN (count(*))::integer
             ELSE 0
         END AS "case"
    FROM app.posts;
 SELECT x AS x;
END;


ALTER FUNCTION app.atomic(x integer) OWNER TO postgres;

--
-- Name: FUNCTION atomic(x integer); Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON FUNCTION app.atomic(x integer) IS 'f';


--
-- Name: authors; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.authors AS
SELECT
    NULL::bigint AS id,
    NULL::app.email AS email,
    NULL::bigint AS n;


ALTER TABLE app.authors OWNER TO postgres;

--
-- Name: author_rank(app.authors); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.author_rank(a app.authors) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN ((a).n * 2);


ALTER FUNCTION app.author_rank(a app.authors) OWNER TO postgres;

--
-- Name: proc(integer, text); Type: PROCEDURE; Schema: app; Owner: postgres
--

CREATE PROCEDURE app.proc(IN a integer, INOUT b text)
    LANGUAGE plpgsql
    AS $_$ BEGIN b := 'x;' || $1; END $_$;


ALTER PROCEDURE app.proc(IN a integer, INOUT b text) OWNER TO postgres;

--
-- Name: touch(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated := now(); RETURN NEW; END; $$;


ALTER FUNCTION app.touch() OWNER TO postgres;

--
-- Name: total(integer); Type: AGGREGATE; Schema: app; Owner: postgres
--

CREATE AGGREGATE app.total(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    INITCOND = '0'
);


ALTER AGGREGATE app.total(integer) OWNER TO postgres;

--
-- Name: ===; Type: OPERATOR; Schema: app; Owner: postgres
--

CREATE OPERATOR app.=== (
    FUNCTION = int4eq,
    LEFTARG = integer,
    RIGHTARG = integer
);


ALTER OPERATOR app.=== (integer, integer) OWNER TO postgres;

--
-- Name: tsc; Type: TEXT SEARCH CONFIGURATION; Schema: app; Owner: postgres
--

CREATE TEXT SEARCH CONFIGURATION app.tsc (
    PARSER = pg_catalog."default" );

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR asciiword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR word WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR numword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR email WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR url WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR host WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR sfloat WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR version WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_numpart WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_part WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword_asciipart WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR numhword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR asciihword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR hword WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR url_path WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR file WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR "float" WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR "int" WITH simple;

ALTER TEXT SEARCH CONFIGURATION app.tsc
    ADD MAPPING FOR uint WITH simple;


ALTER TEXT SEARCH CONFIGURATION app.tsc OWNER TO postgres;

--
-- Name: cache; Type: TABLE; Schema: app; Owner: postgres
--

CREATE UNLOGGED TABLE app.cache (
    k text NOT NULL,
    v text
)
WITH (fillfactor='70');


ALTER TABLE app.cache OWNER TO postgres;

--
-- Name: parent; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.parent (
    a integer
);


ALTER TABLE app.parent OWNER TO postgres;

--
-- Name: child; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.child (
    b integer
)
INHERITS (app.parent);


ALTER TABLE app.child OWNER TO postgres;

--
-- Name: events; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.events (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    body jsonb
)
PARTITION BY RANGE (at);


ALTER TABLE app.events OWNER TO postgres;

--
-- Name: events_2024; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.events_2024 (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    body jsonb
)
PARTITION BY LIST (id);


ALTER TABLE app.events_2024 OWNER TO postgres;

--
-- Name: events_2024_a; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.events_2024_a (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    body jsonb
);


ALTER TABLE app.events_2024_a OWNER TO postgres;

--
-- Name: free_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.free_seq
    START WITH 10
    INCREMENT BY 5
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.free_seq OWNER TO postgres;

--
-- Name: ranked; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.ranked AS
 SELECT a.id,
    a.email,
    a.n,
    app.author_rank(a.*) AS r
   FROM app.authors a;


ALTER TABLE app.ranked OWNER TO postgres;

--
-- Name: mv; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.mv AS
 SELECT ranked.id,
    ranked.email,
    ranked.n,
    ranked.r
   FROM app.ranked
  WITH NO DATA;


ALTER TABLE app.mv OWNER TO postgres;

--
-- Name: posts_id_seq; Type: SEQUENCE; Schema: app; Owner: keeper
--

CREATE SEQUENCE app.posts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.posts_id_seq OWNER TO keeper;

--
-- Name: posts_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: keeper
--

ALTER SEQUENCE app.posts_id_seq OWNED BY app.posts.id;


--
-- Name: replies; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.replies (
    id integer NOT NULL,
    post integer
);


ALTER TABLE app.replies OWNER TO postgres;

--
-- Name: replies_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.replies_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE app.replies_id_seq OWNER TO postgres;

--
-- Name: replies_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: postgres
--

ALTER SEQUENCE app.replies_id_seq OWNED BY app.replies.id;


--
-- Name: users; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.users (
    id bigint NOT NULL,
    email app.email NOT NULL,
    mood app.mood DEFAULT 'happy;'::app.mood,
    "Weird ""Name" text,
    updated timestamp with time zone,
    CONSTRAINT ck CHECK ((length("Weird ""Name") < 10))
);

ALTER TABLE ONLY app.users FORCE ROW LEVEL SECURITY;


ALTER TABLE app.users OWNER TO postgres;

--
-- Name: TABLE users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TABLE app.users IS 'line
break \ quote '' end';


--
-- Name: COLUMN users.email; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON COLUMN app.users.email IS 'mail';


--
-- Name: CONSTRAINT ck ON users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON CONSTRAINT ck ON app.users IS 'c';


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: app; Owner: postgres
--

ALTER TABLE app.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events_2024; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.events ATTACH PARTITION app.events_2024 FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00');


--
-- Name: events_2024_a; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.events_2024 ATTACH PARTITION app.events_2024_a DEFAULT;


--
-- Name: posts id; Type: DEFAULT; Schema: app; Owner: keeper
--

ALTER TABLE ONLY app.posts ALTER COLUMN id SET DEFAULT nextval('app.posts_id_seq'::regclass);


--
-- Name: replies id; Type: DEFAULT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.replies ALTER COLUMN id SET DEFAULT nextval('app.replies_id_seq'::regclass);


--
-- Name: cache cache_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.cache
    ADD CONSTRAINT cache_pkey PRIMARY KEY (k);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, at);


--
-- Name: events_2024 events_2024_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.events_2024
    ADD CONSTRAINT events_2024_pkey PRIMARY KEY (id, at);


--
-- Name: events_2024_a events_2024_a_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.events_2024_a
    ADD CONSTRAINT events_2024_a_pkey PRIMARY KEY (id, at);


--
-- Name: posts posts_during_excl; Type: CONSTRAINT; Schema: app; Owner: keeper
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_during_excl EXCLUDE USING gist (during WITH &&);


--
-- Name: posts posts_pkey; Type: CONSTRAINT; Schema: app; Owner: keeper
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);

ALTER TABLE app.posts CLUSTER ON posts_pkey;


--
-- Name: replies replies_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.replies
    ADD CONSTRAINT replies_pkey PRIMARY KEY (id);


--
-- Name: users users_email_key; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_email_key UNIQUE (email);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: events_body; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX events_body ON ONLY app.events USING gin (body);


--
-- Name: events_2024_body_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX events_2024_body_idx ON ONLY app.events_2024 USING gin (body);


--
-- Name: events_2024_a_body_idx; Type: INDEX; Schema: app; Owner: postgres
--

CREATE INDEX events_2024_a_body_idx ON app.events_2024_a USING gin (body);


--
-- Name: mv_id; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX mv_id ON app.mv USING btree (id);


--
-- Name: posts_title; Type: INDEX; Schema: app; Owner: keeper
--

CREATE INDEX posts_title ON app.posts USING gin (title public.gin_trgm_ops) WHERE (title IS NOT NULL);


--
-- Name: INDEX posts_title; Type: COMMENT; Schema: app; Owner: keeper
--

COMMENT ON INDEX app.posts_title IS 'i';


--
-- Name: posts_u; Type: INDEX; Schema: app; Owner: keeper
--

CREATE UNIQUE INDEX posts_u ON app.posts USING btree (author, lower(title)) INCLUDE (tags);


--
-- Name: events_2024_a_body_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.events_2024_body_idx ATTACH PARTITION app.events_2024_a_body_idx;


--
-- Name: events_2024_a_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.events_2024_pkey ATTACH PARTITION app.events_2024_a_pkey;


--
-- Name: events_2024_body_idx; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.events_body ATTACH PARTITION app.events_2024_body_idx;


--
-- Name: events_2024_pkey; Type: INDEX ATTACH; Schema: app; Owner: postgres
--

ALTER INDEX app.events_pkey ATTACH PARTITION app.events_2024_pkey;


--
-- Name: st; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.st (dependencies) ON author, title FROM app.posts;


ALTER STATISTICS app.st OWNER TO postgres;

--
-- Name: authors _RETURN; Type: RULE; Schema: app; Owner: postgres
--

CREATE OR REPLACE VIEW app.authors WITH (security_invoker='true') AS
 SELECT u.id,
    u.email,
    count(p.id) AS n
   FROM (app.users u
     JOIN app.posts p ON ((p.author = u.id)))
  GROUP BY u.id;


--
-- Name: cache r; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE r AS
    ON DELETE TO app.cache DO INSTEAD NOTHING;


--
-- Name: users touch; Type: TRIGGER; Schema: app; Owner: postgres
--

CREATE TRIGGER touch BEFORE UPDATE OF email ON app.users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION app.touch();

ALTER TABLE app.users DISABLE TRIGGER touch;


--
-- Name: TRIGGER touch ON users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON TRIGGER touch ON app.users IS 't';


--
-- Name: posts posts_author_fkey; Type: FK CONSTRAINT; Schema: app; Owner: keeper
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_author_fkey FOREIGN KEY (author) REFERENCES app.users(id) ON DELETE CASCADE DEFERRABLE;


--
-- Name: posts posts_best_reply_fkey; Type: FK CONSTRAINT; Schema: app; Owner: keeper
--

ALTER TABLE ONLY app.posts
    ADD CONSTRAINT posts_best_reply_fkey FOREIGN KEY (best_reply) REFERENCES app.replies(id);


--
-- Name: replies replies_post_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.replies
    ADD CONSTRAINT replies_post_fkey FOREIGN KEY (post) REFERENCES app.posts(id);


--
-- Name: users own; Type: POLICY; Schema: app; Owner: postgres
--

CREATE POLICY own ON app.users AS RESTRICTIVE FOR SELECT TO reader USING ((id = (current_setting('app.id'::text))::bigint));


--
-- Name: POLICY own ON users; Type: COMMENT; Schema: app; Owner: postgres
--

COMMENT ON POLICY own ON app.users IS 'p';


--
-- Name: users; Type: ROW SECURITY; Schema: app; Owner: postgres
--

ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;

--
-- Name: pub; Type: PUBLICATION; Schema: -; Owner: postgres
--

CREATE PUBLICATION pub WITH (publish = 'insert, update, delete, truncate');


ALTER PUBLICATION pub OWNER TO postgres;

--
-- Name: pub posts; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.posts (id, title) WHERE ((id > 5));


--
-- Name: pub users; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.users;


--
-- Name: SCHEMA app; Type: ACL; Schema: -; Owner: keeper
--

GRANT USAGE ON SCHEMA app TO reader;


--
-- Name: FUNCTION atomic(x integer); Type: ACL; Schema: app; Owner: postgres
--

REVOKE ALL ON FUNCTION app.atomic(x integer) FROM PUBLIC;
GRANT ALL ON FUNCTION app.atomic(x integer) TO reader;


--
-- Name: COLUMN users.id; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT(id) ON TABLE app.users TO reader WITH GRANT OPTION;


--
-- Name: COLUMN users.email; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT(email) ON TABLE app.users TO reader WITH GRANT OPTION;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: keeper
--

ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA app GRANT SELECT ON TABLES  TO reader;


--
-- Name: DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: postgres
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON FUNCTIONS  FROM PUBLIC;


--
-- PostgreSQL database dump complete
--

\unrestrict Zr5mdFJ8F4G3bxvjqYp1dq72d4SC5q5Qdu9ZH6yzWKVUrwhhe3FVSwc7DqTjhIh


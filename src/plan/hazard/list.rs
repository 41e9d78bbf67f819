//! The list of hazards. The plan, `--accept`, `[plan.hazards]`, the directive `allow` and docs/hazards.md are made from
//! it. A hazard comes from facts: a new or empty table has none.

use serde::{Deserialize, Serialize};

use super::{Area, Severity};

/// What is said of a code.
pub struct About {
    pub code: &'static str,
    pub severity: Severity,
    pub area: Area,
    /// When a step has it.
    pub condition: &'static str,
    /// What happens to a running system.
    pub effect: &'static str,
    /// What to do instead, or first.
    pub safer: &'static str,
    /// SQL that has it.
    pub example: &'static str,
}

macro_rules! hazards {
    ($($Code:ident = $code:literal, $Severity:ident, $Area:ident {
        condition: $condition:literal,
        effect: $effect:literal,
        safer: $safer:literal,
        example: $example:literal,
    })*) => {
        /// The code of a hazard, as `--accept` and the documentation spell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[serde(rename = $code)] $Code,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$Code,)*];

            pub fn about(self) -> &'static About {
                match self {
                    $(Code::$Code => &About {
                        code: $code,
                        severity: Severity::$Severity,
                        area: Area::$Area,
                        condition: $condition,
                        effect: $effect,
                        safer: $safer,
                        example: $example,
                    },)*
                }
            }
        }
    };
}

hazards! {
    DropTable = "drop-table", Refuse, Loss {
        condition: "a table that may hold rows goes",
        effect: "the rows of the table are gone",
        safer: "stop its users first and drop it later",
        example: "DROP TABLE public.faxes",
    }
    QuarantineTable = "quarantine-table", Warn, Break {
        condition: "a table that goes is moved to the quarantine, with its rows",
        effect: "code that names the table fails from this moment on",
        safer: "stop its users first; `rollback` brings the table back",
        example: "ALTER TABLE public.faxes SET SCHEMA attic",
    }
    DropColumn = "drop-column", Refuse, Loss {
        condition: "a column of a table that may hold rows goes",
        effect: "the values of the column are gone, and code that names it fails",
        safer: "stop reading and writing it first, drop it later",
        example: "ALTER TABLE public.contacts DROP COLUMN fax",
    }
    DropMaterializedView = "drop-materialized-view", Warn, Loss {
        condition: "a materialized view goes, for good or to be made again",
        effect: "the stored result is gone until it is built again",
        safer: "build the new one beside it and rename",
        example: "DROP MATERIALIZED VIEW public.daily",
    }
    DropSequence = "drop-sequence", Refuse, Loss {
        condition: "a sequence goes that no column owns",
        effect: "the position of the sequence is gone",
        safer: "keep it until nothing draws from it",
        example: "DROP SEQUENCE public.tickets",
    }
    DropNamespace = "drop-schema", Refuse, Loss {
        condition: "a namespace goes",
        effect: "code that names the namespace fails",
        safer: "drop it once nothing refers to it",
        example: "DROP SCHEMA legacy",
    }
    DropExtension = "drop-extension", Refuse, Loss {
        condition: "an extension goes that the declaration no longer speaks of",
        effect: "the functions and types of the extension are gone",
        safer: "make sure that nothing outside the managed namespaces uses it",
        example: "DROP EXTENSION hstore",
    }
    EnumLabelRemoval = "enum-value-removal", Refuse, Loss {
        condition: "an enum loses a label or changes the order of its labels",
        effect: "rows that hold the label can't be cast; every table that uses the type is rewritten",
        safer: "map the rows to another label first",
        example: "ALTER TABLE public.orders ALTER COLUMN state TYPE public.state_new USING state::text::public.state_new",
    }
    NarrowType = "change-type-narrowing", Refuse, Loss {
        condition: "a column gets a type that does not hold every value of the old one",
        effect: "values that the new type can't hold make the step fail or lose digits",
        safer: "add a new column, backfill it, swap",
        example: "ALTER TABLE public.contacts ALTER COLUMN phone TYPE character varying(15)",
    }
    SuspectedRename = "suspected-undeclared-rename", Refuse, Loss {
        condition: "a drop and an add of one type stand side by side, and no rename is declared",
        effect: "a drop and an add look like one rename; the values would be lost",
        safer: "declare it with `was`, or say --no-renames",
        example: "ALTER TABLE public.contacts DROP COLUMN phone; … ADD COLUMN phone_number text",
    }
    Truncate = "truncate", Refuse, Loss {
        condition: "a script empties a table that may hold rows, by its name or by CASCADE",
        effect: "the rows of the table are gone",
        safer: "delete in batches what is no longer needed",
        example: "TRUNCATE public.sessions",
    }
    Cascade = "cascade", Refuse, Loss {
        condition: "a script drops something with CASCADE, and more goes than it names",
        effect: "objects that nobody has named are gone",
        safer: "drop each by its name, those that depend on others first",
        example: "DROP TABLE public.orders CASCADE",
    }
    Rename = "rename", Warn, Break {
        condition: "something is renamed as declared",
        effect: "code that uses the old name fails from this moment on",
        safer: "keep both names alive until all code is deployed",
        example: "ALTER TABLE public.users RENAME COLUMN mail TO email",
    }
    ColumnMoves = "column-moves", Warn, Break {
        condition: "a column that gets another type by way of a new one stands last in its table from then on",
        effect: "an INSERT that names no columns puts its values into others",
        safer: "name the columns in every INSERT and SELECT",
        example: "INSERT INTO public.orders VALUES (1, 'new')",
    }
    DropView = "drop-view", Warn, Break {
        condition: "a view goes",
        effect: "code that reads the view fails",
        safer: "stop reading it first",
        example: "DROP VIEW public.open_orders",
    }
    DropRoutine = "drop-routine", Warn, Break {
        condition: "a function, procedure or aggregate goes",
        effect: "code that calls the routine fails",
        safer: "stop calling it first",
        example: "DROP FUNCTION public.total(bigint)",
    }
    DropType = "drop-type", Warn, Break {
        condition: "an enum, domain, composite or range type goes",
        effect: "code that casts to the type fails",
        safer: "stop using it first",
        example: "DROP TYPE public.state",
    }
    DropDefault = "drop-default-still-needed", Warn, Break {
        condition: "a column keeps its NOT NULL or its writers, and loses its default",
        effect: "an INSERT that leaves the column out fails or stores null",
        safer: "keep the default until every writer names the column",
        example: "ALTER TABLE public.orders ALTER COLUMN state DROP DEFAULT",
    }
    GeneratedAlways = "generated-always", Warn, Break {
        condition: "a column becomes an identity that is GENERATED ALWAYS, by itself or as its table becomes a partition (from 17 on), or is computed from others from then on",
        effect: "an INSERT or UPDATE that gives the column a value fails",
        safer: "look for statements that name the column, and leave it out or say DEFAULT; an identity BY DEFAULT takes values",
        example: "ALTER TABLE public.orders ALTER COLUMN id SET GENERATED ALWAYS",
    }
    UpsertTarget = "upsert-target-goes", Warn, Break {
        condition: "a unique index or key goes, or gets other columns, and no other one is over the columns that it had",
        effect: "an INSERT … ON CONFLICT that names its columns fails",
        safer: "release code that names the columns of a unique index that stays; one that the plan builds serves once it is built",
        example: "ALTER TABLE public.contacts DROP CONSTRAINT contacts_phone_key, ADD CONSTRAINT contacts_phone_key UNIQUE USING INDEX contacts_user_id_phone",
    }
    UpsertConstraint = "upsert-constraint-goes", Warn, Break {
        condition: "a key or EXCLUDE goes as a constraint, though a unique index over its columns stays; or a view stands for its table, as for one that is renamed",
        effect: "an INSERT … ON CONFLICT ON CONSTRAINT that names it fails",
        safer: "name the columns instead: any unique index over them serves, behind a view too",
        example: "ALTER TABLE public.contacts DROP CONSTRAINT contacts_phone_key; CREATE UNIQUE INDEX contacts_phone_key ON public.contacts (phone)",
    }
    ForeignColumn = "foreign-table-lacks-column", Warn, Break {
        condition: "a column comes to a table that has foreign tables among its partitions or heirs",
        effect: "queries that read the foreign table's rows fail, those through the parent with them, unless its server has the column",
        safer: "add the column on the other server first",
        example: "ALTER TABLE public.events ADD COLUMN note text -- public.events_2019 is a foreign table",
    }
    RequiredColumn = "adding-required-field", Refuse, Break {
        condition: "a column is added as NOT NULL without a value for rows that exist",
        effect: "existing rows have no value for the column",
        safer: "declare a default or a backfill for it",
        example: "ALTER TABLE public.orders ADD COLUMN user_id bigint NOT NULL",
    }
    BreaksQuery = "breaks-query", Refuse, Break {
        condition: "one of the statements in `[queries]` fails once the step has run on the shadow",
        effect: "a statement that applications run fails from this step on",
        safer: "release code that does without it first, or keep what it needs",
        example: "ALTER TABLE public.orders DROP COLUMN state -- SELECT state FROM public.orders",
    }
    RevokePrivilege = "revoke-privilege", Warn, Break {
        condition: "a role loses a privilege",
        effect: "code of the role that uses the privilege fails",
        safer: "make sure that the role does not use it",
        example: "REVOKE INSERT ON public.orders FROM app_writer",
    }
    StopTrigger = "drop-trigger", Warn, Break {
        condition: "a trigger or a rule goes, or is switched off",
        effect: "what the trigger kept up no longer happens",
        safer: "drop it only when nothing relies on it",
        example: "DROP TRIGGER audit ON public.orders",
    }
    TriggerFights = "trigger-fights", Refuse, Break {
        condition: "a trigger of one's own may change a column after another was given the same value",
        effect: "the old and the new column hold different values, and one of the two is lost",
        safer: "let the trigger leave the column alone until the plan is done",
        example: "CREATE TRIGGER tidy BEFORE UPDATE ON public.contacts FOR EACH ROW EXECUTE FUNCTION public.lower_phone()",
    }
    PublicationChange = "publication-change", Warn, Break {
        condition: "a publication loses or changes tables, columns, row filters or operations",
        effect: "subscribers see another set of tables, columns or rows",
        safer: "tell those who run the subscribers",
        example: "ALTER PUBLICATION feed DROP TABLE public.orders",
    }
    RefusesUpdates = "refuses-updates", Refuse, Break {
        condition: "a table comes to be published, or to lose its key, so that its readers can't be told which row it was",
        effect: "the server refuses every UPDATE and DELETE of the table",
        safer: "give it a primary key or a replica identity first, and publish the columns of that",
        example: "ALTER PUBLICATION feed ADD TABLE public.keyless",
    }
    FillPublished = "fill-published", Warn, Break {
        condition: "rows are filled in a table whose updates are published",
        effect: "every row goes to the readers of the publication as an update",
        safer: "let them expect it, and bound it with `[apply] rows_per_second`",
        example: "UPDATE public.messages SET user_id = 1",
    }
    ExtensionUpdate = "extension-upgrade", Warn, Break {
        condition: "an extension gets another version",
        effect: "the update script of the extension runs; it may lock or rewrite",
        safer: "read its release notes",
        example: "ALTER EXTENSION pg_trgm UPDATE TO '1.6'",
    }
    DropConstraint = "drop-constraint", Warn, Guard {
        condition: "a constraint goes and none takes its place",
        effect: "rows that it kept out may come in",
        safer: "drop it only when its replacement is valid",
        example: "ALTER TABLE public.orders DROP CONSTRAINT orders_total_check",
    }
    DropNotNull = "drop-not-null", Warn, Guard {
        condition: "a column loses its NOT NULL",
        effect: "nulls may come in",
        safer: "check that readers can take a null",
        example: "ALTER TABLE public.orders ALTER COLUMN total DROP NOT NULL",
    }
    DropIndex = "drop-index", Warn, Guard {
        condition: "an index goes that no other one stands in for",
        effect: "queries that used the index read the whole table",
        safer: "see in pg_stat_user_indexes that nobody uses it",
        example: "DROP INDEX CONCURRENTLY public.orders_state_idx",
    }
    UniqueMayFail = "unique-may-fail", Warn, Rows {
        condition: "a unique index or key is built over rows that exist, and no key of some of its columns stands already",
        effect: "duplicates in the rows make the step fail",
        safer: "look for duplicates first: `plan` and `apply` ask the rows",
        example: "CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON public.users (email)",
    }
    ForeignKeyMayFail = "foreign-key-may-fail", Warn, Rows {
        condition: "a foreign key is validated against rows that exist",
        effect: "rows without a partner make the step fail",
        safer: "look for orphans first: `plan` and `apply` ask the rows",
        example: "ALTER TABLE public.orders VALIDATE CONSTRAINT orders_user_fkey",
    }
    CheckMayFail = "check-may-fail", Warn, Rows {
        condition: "a check or NOT NULL is validated against rows that exist",
        effect: "rows that break the condition make the step fail",
        safer: "look for such rows first: `plan` and `apply` ask the rows",
        example: "ALTER TABLE public.orders VALIDATE CONSTRAINT orders_total_check",
    }
    RewriteTable = "type-change-rewrite", Warn, Wait {
        condition: "a type, a stored generated column, a tablespace or an access method changes for a table that may hold rows",
        effect: "the table is rewritten under a lock that blocks reads and writes",
        safer: "add a new column, backfill it in batches, swap",
        example: "ALTER TABLE public.orders ALTER COLUMN id TYPE bigint",
    }
    WrittenAnew = "vacuum-full", Warn, Wait {
        condition: "a script says VACUUM FULL, CLUSTER or REFRESH MATERIALIZED VIEW",
        effect: "all of it is written anew under a lock that blocks reads and writes",
        safer: "VACUUM without FULL, or pg_repack; REFRESH MATERIALIZED VIEW CONCURRENTLY over a unique index",
        example: "VACUUM FULL public.messages",
    }
    SetUnlogged = "set-logged", Warn, Wait {
        condition: "a table that may hold rows becomes logged or unlogged",
        effect: "the table is rewritten under a lock that blocks reads and writes",
        safer: "do it while nobody uses the table",
        example: "ALTER TABLE public.sessions SET LOGGED",
    }
    ScanUnderLock = "scan-under-lock", Warn, Wait {
        condition: "a constraint has no form that reads the rows later: EXCLUDE, keys of partitioned tables, checks of domains",
        effect: "every row is read under a lock that blocks writes or more",
        safer: "prove it first with a constraint that is NOT VALID, then VALIDATE; a key, over an index that was built CONCURRENTLY; what a domain would ask, with a CHECK of each table that uses it, while that of the domain stays NOT VALID",
        example: "ALTER TABLE public.stays ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&)",
    }
    AttachScan = "attach-without-proof", Warn, Wait {
        condition: "a table with rows becomes a partition, and no valid CHECK implies its bound",
        effect: "every row of the partition is read under a lock",
        safer: "give it a valid CHECK that implies the bound first",
        example: "ALTER TABLE public.events ATTACH PARTITION public.events_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    }
    BlockingIndex = "index-not-concurrent", Warn, Wait {
        condition: "an index that can't be built or moved concurrently is, that of an exclusion constraint; or a script does without CONCURRENTLY",
        effect: "writes to the table wait until the index is there, or gone",
        safer: "say CONCURRENTLY, outside of any transaction",
        example: "ALTER INDEX public.no_overlap SET TABLESPACE fast",
    }
    NoLockTimeout = "no-lock-timeout", Warn, Wait {
        condition: "a script asks for a lock that keeps others from a table, and has no lock_timeout",
        effect: "while it waits for one long query, all others on the table wait behind it",
        safer: "SET lock_timeout = '2s' first, and try again when it strikes",
        example: "ALTER TABLE public.orders ADD COLUMN note text",
    }
    WorkUnderLock = "work-under-lock", Warn, Wait {
        condition: "a transaction of a script goes through rows while it keeps others from another table",
        effect: "the table that is locked stays so for as long as the work takes",
        safer: "end the transaction before the work begins",
        example: "ALTER TABLE public.orders ADD COLUMN note text; UPDATE public.contacts SET note = ''",
    }
    RowsAtOnce = "rows-in-one-statement", Warn, Wait {
        condition: "a statement of a script changes rows and no index leads it to them",
        effect: "its rows stay locked, and vacuum waits, until all are done; a replica gets them all at once",
        safer: "go by ranges of the key, each in a transaction of its own",
        example: "UPDATE public.contacts SET phone = trim(phone)",
    }
    LockTogether = "lock-multiple-tables", Warn, Wait {
        condition: "a transaction that holds a strong lock on a large table waits for one on another: what has to be replaced together",
        effect: "the first table stays locked while the second is waited for, and somebody who takes them in the other order is a deadlock",
        safer: "give what is replaced another name, so that each table can take the new one by itself",
        example: "DROP TRIGGER t ON public.orders; DROP TRIGGER t ON public.messages; DROP FUNCTION public.stamp()",
    }
    RecreateView = "view-recreate", Warn, Wait {
        condition: "a view changes in a way that CREATE OR REPLACE refuses, or what it reads changes its type",
        effect: "the view is away for the length of one transaction, and locked against reads",
        safer: "keep its columns compatible, so that CREATE OR REPLACE will do",
        example: "DROP VIEW public.open_orders; CREATE VIEW public.open_orders AS …",
    }
    IndexFlush = "index-flush", Warn, Wait {
        condition: "a B-tree of more than 128 MB, as estimated, is built over rows that there are",
        effect: "the server flushes all of the index once it is built (from PostgreSQL 17 on, only if a checkpoint began meanwhile), and commits wait for the disk meanwhile",
        safer: "have the server's host write earlier (`sysctl vm.dirty_background_bytes=67108864`), or build it at a quiet hour",
        example: "CREATE INDEX CONCURRENTLY messages_sent_at_idx ON public.messages (sent_at)",
    }
    RecreateObject = "object-recreate", Warn, Wait {
        condition: "an object can't be changed in place and nothing can stand beside it meanwhile",
        effect: "the object is away until it is made again",
        safer: "add the new one under another name first",
        example: "DROP INDEX CONCURRENTLY public.i; CREATE INDEX CONCURRENTLY i ON public.orders (state)",
    }
    DetachPartition = "detach-partition", Warn, Wait {
        condition: "a partition that may hold rows is detached, or a table that may hold some no longer inherits from another",
        effect: "queries on the parent no longer see the rows of the table",
        safer: "make sure that nobody reads them through the parent",
        example: "ALTER TABLE public.events DETACH PARTITION public.events_2019 CONCURRENTLY",
    }
    RowSecurityLoosened = "policy-or-rls-loosening", Refuse, Access {
        condition: "row security is switched off or no longer forced, a policy lets more through, a view stops asking for the rights of its reader",
        effect: "rows that were hidden can be read or changed",
        safer: "check who gains what, then accept it by name",
        example: "ALTER TABLE public.orders DISABLE ROW LEVEL SECURITY",
    }
    LoosensAccess = "loosens-access", Refuse, Access {
        condition: "the proof, acting as each role before and after, finds rows that it reaches only now",
        effect: "rows that the role could not reach can be read or changed by it",
        safer: "narrow the policy or the grant, or accept it by name",
        example: "CREATE POLICY all_orders ON public.orders USING (true)",
    }
    RowSecurityWithoutPolicy = "rls-enable-without-policy", Warn, Access {
        condition: "row security is switched on for a table that existed, and there is no policy",
        effect: "everyone but the owner sees no rows at all",
        safer: "create the policies first",
        example: "ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY",
    }
    ViewRunsAsOwner = "view-not-security-invoker", Warn, Access {
        condition: "a new view reads tables with row security, and has no security_invoker",
        effect: "the view reads its tables with the rights of its owner, past their row security",
        safer: "set security_invoker = true",
        example: "CREATE VIEW public.open_orders AS SELECT … FROM public.orders",
    }
    GrantToPublic = "public-grant", Warn, Access {
        condition: "PUBLIC gains a privilege, now or by default",
        effect: "every role that can connect gains the privilege",
        safer: "grant it to the roles that need it",
        example: "GRANT SELECT ON public.orders TO PUBLIC",
    }
    ChangeOwner = "change-owner", Warn, Access {
        condition: "an object gets another owner",
        effect: "the former owner loses its rights, the new one passes row security",
        safer: "grant what the former owner still needs",
        example: "ALTER TABLE public.orders OWNER TO app_owner",
    }
    NoPrimaryKey = "no-primary-key", Off, Design {
        condition: "a table has no primary key",
        effect: "its rows can't be told apart: not by a replica, not by a backfill, not by an UPSERT",
        safer: "give it a primary key",
        example: "CREATE TABLE public.events (at timestamptz, what text)",
    }
    IntegerKey = "integer-key", Off, Design {
        condition: "a key that counts up is an integer or a smallint",
        effect: "one day an INSERT fails, and a key that others refer to is the hardest type to change",
        safer: "make it a bigint from the start",
        example: "CREATE TABLE public.events (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    }
    SerialColumn = "serial-column", Off, Design {
        condition: "a column takes its numbers from a sequence that it owns",
        effect: "the sequence has grants and an owner of its own, and anybody may insert numbers past it",
        safer: "GENERATED ALWAYS AS IDENTITY",
        example: "CREATE TABLE public.events (id bigserial PRIMARY KEY)",
    }
    ForeignKeyWithoutIndex = "foreign-key-without-index", Off, Design {
        condition: "no index begins with the columns of a foreign key",
        effect: "every DELETE and every change of a key in the other table reads this one whole",
        safer: "give it an index",
        example: "CREATE TABLE public.orders (id bigint PRIMARY KEY, user_id bigint REFERENCES public.users)",
    }
    DuplicateIndex = "duplicate-index", Off, Design {
        condition: "another index of the table serves all that this one does",
        effect: "every write pays for both",
        safer: "drop it",
        example: "CREATE INDEX ON public.orders (user_id); CREATE INDEX ON public.orders (user_id, state)",
    }
    WideIndex = "wide-index", Off, Design {
        condition: "an index has more than four columns",
        effect: "it grows with each of them, and those behind the first few rarely narrow a search",
        safer: "see which of them a query needs",
        example: "CREATE INDEX ON public.orders (user_id, state, total, created_at, note)",
    }
    JsonColumn = "json-column", Off, Design {
        condition: "a column is json",
        effect: "it has no equality, so that DISTINCT and UNION fail, and no index",
        safer: "make it jsonb",
        example: "CREATE TABLE public.events (id bigint PRIMARY KEY, payload json)",
    }
    NaiveTimestamp = "timestamp-without-time-zone", Off, Design {
        condition: "a column is a timestamp without time zone",
        effect: "the moment that it means depends on who reads it",
        safer: "make it timestamptz",
        example: "CREATE TABLE public.events (id bigint PRIMARY KEY, at timestamp)",
    }
    PaddedText = "char-column", Off, Design {
        condition: "a column is character(n)",
        effect: "values are padded with blanks, which some comparisons see and others do not",
        safer: "text, with a CHECK on its length",
        example: "CREATE TABLE public.places (id bigint PRIMARY KEY, country char(2))",
    }
    LimitedText = "varchar-limit", Off, Design {
        condition: "a column is character varying(n)",
        effect: "a smaller limit needs every row to be read, and a value that is too long is an error nobody planned",
        safer: "text, with a CHECK on its length",
        example: "CREATE TABLE public.contacts (id bigint PRIMARY KEY, phone varchar(20))",
    }
    EnumByType = "enum-type", Off, Design {
        condition: "labels are an enum type",
        effect: "a label can be added, and not removed without a new type for every column that has it",
        safer: "text with a CHECK, or a table of labels",
        example: "CREATE TYPE public.state AS ENUM ('new', 'paid')",
    }
    ConstrainedDomain = "domain-with-check", Off, Design {
        condition: "a domain has a CHECK",
        effect: "another one reads every table that uses the domain, all of them locked",
        safer: "a CHECK of each table, which can be NOT VALID at first",
        example: "CREATE DOMAIN public.email AS text CHECK (VALUE LIKE '%@%')",
    }
}

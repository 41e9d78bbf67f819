//! What linters and other differs warn of, and what comes of each here: the plan takes a form that does not have it, a
//! hazard names it, or no plan holds it.

use super::Code;
use super::Code::*;
use crate::tenancy::check::Code as Tenancy;

/// What comes of a warning.
pub enum Answer {
    /// The plan takes another form.
    Form(&'static str),
    /// What is left is named.
    Named(&'static [Code], &'static str),
    /// The check of the tenancies finds it.
    Checked(&'static [Tenancy], &'static str),
    /// It is told in another way.
    Told(&'static str),
    /// No plan holds it.
    Never(&'static str),
    /// Nothing tells it.
    Unsaid(&'static str),
}

use Answer::{Checked, Form, Named, Never, Told, Unsaid};

/// The warnings, each with what comes of it.
pub const RULES: &[(&str, Answer)] = &[
    ("a column is dropped", Named(&[DropColumn], "in contract, behind a gate")),
    ("a table or a namespace is dropped", Named(&[DropTable, DropNamespace], "in contract, behind a gate")),
    ("a table or a column is renamed", Named(&[Rename], "declared; a table answers to both names until contract")),
    ("a rename is taken for a drop and an add", Named(&[SuspectedRename], "a question before there is a plan")),
    ("an enum label is renamed", Named(&[EnumLabelRemoval], "a label that goes and one that comes")),
    ("a type is narrowed, a cast can fail", Named(&[NarrowType], "the preflight lists the rows")),
    ("an enum label is removed", Named(&[EnumLabelRemoval], "")),
    ("a constraint or NOT NULL is dropped", Named(&[DropConstraint, DropNotNull], "in contract")),
    ("a default is dropped that old code needs", Named(&[DropDefault], "in contract")),
    ("a column that a foreign table lacks on its server", Named(&[ForeignColumn], "")),
    (
        "a unique key that upserts name goes or gets other columns",
        Named(&[UpsertTarget, UpsertConstraint], "in contract"),
    ),
    (
        "a column becomes GENERATED ALWAYS",
        Named(&[GeneratedAlways], "in contract; until then an identity is BY DEFAULT"),
    ),
    (
        "a required column without a value for rows",
        Named(&[RequiredColumn], "refused; with a value it is added nullable, filled, validated"),
    ),
    (
        "TRUNCATE or DROP … CASCADE",
        Named(&[Truncate, Cascade], "in scripts; in a plan everything that goes has a step of its own"),
    ),
    ("DROP DATABASE", Never("a plan is for one database")),
    (
        "row security or policies are loosened, PUBLIC is granted to",
        Named(&[RowSecurityLoosened, GrantToPublic], ""),
    ),
    (
        "CREATE INDEX blocks writes",
        Form("CONCURRENTLY; on a partitioned table ON ONLY, each partition CONCURRENTLY, ATTACH"),
    ),
    ("DROP INDEX blocks reads", Form("CONCURRENTLY, but for the index of a partitioned table")),
    ("CONCURRENTLY inside of a transaction", Form("such a step runs outside any")),
    ("REINDEX blocks writes", Named(&[BlockingIndex], "REINDEX CONCURRENTLY, but for exclusion constraints")),
    ("DETACH PARTITION locks the parent", Form("CONCURRENTLY with FINALIZE, where there is no default partition")),
    (
        "ATTACH PARTITION reads every row",
        Named(&[AttachScan], "behind a validated CHECK that implies the bound, where one can be made"),
    ),
    (
        "a foreign key or check reads every row under its lock",
        Form("NOT VALID, then VALIDATE in a later transaction"),
    ),
    ("NOT VALID and VALIDATE in one transaction", Form("each has its own")),
    ("SET NOT NULL reads every row", Form("a validated CHECK proves it first; 18: NOT NULL … NOT VALID")),
    ("UNIQUE or PRIMARY KEY builds its index under the lock", Form("a concurrent unique index, then USING INDEX")),
    ("PRIMARY KEY over a nullable column reads every row", Form("its columns are NOT NULL first")),
    ("EXCLUDE builds its index under the lock", Named(&[ScanUnderLock], "there is no other form")),
    ("a type change rewrites the table", Named(&[RewriteTable], "where the server does not do without")),
    (
        "a volatile default rewrites the table",
        Form("the column is added without it, and the rows are filled in batches"),
    ),
    ("a stored generated column rewrites the table", Named(&[RewriteTable], "")),
    ("SET LOGGED, SET ACCESS METHOD, SET TABLESPACE rewrite", Named(&[SetUnlogged, RewriteTable], "")),
    ("VACUUM FULL, CLUSTER", Named(&[WrittenAnew], "in scripts; no difference of two schemas asks for them")),
    (
        "work after a strong lock was taken",
        Named(&[WorkUnderLock], "in scripts; a step that others wait for has its own transaction"),
    ),
    ("no lock_timeout", Named(&[NoLockTimeout], "in scripts; each step has one, and is tried again")),
    (
        "several tables are locked in one transaction",
        Named(&[LockTogether], "only what has to be replaced together"),
    ),
    ("CREATE TRIGGER blocks writes", Form("under lock_timeout, for as long as the catalogs take")),
    ("ALTER TABLE on one table over and over", Form("what fits into one CREATE TABLE is one")),
    (
        "rows are changed in the transaction of DDL",
        Named(&[WorkUnderLock, RowsAtOnce], "in scripts; batches, each in its own"),
    ),
    ("BEGIN inside of a transaction, COMMIT missing", Never("transactions belong to the plan, not to its SQL")),
    (
        "ALTER TABLE on a partitioned table locks every partition",
        Form("each step lists the partitions that it locks; what reads rows goes by partition"),
    ),
    ("a new enum label is used before it is committed", Form("the step that adds it ends its transaction")),
    (
        "a materialized view is filled under a lock",
        Named(&[DropMaterializedView], "a new one is filled as it is made"),
    ),
    ("a view is dropped and made again", Named(&[RecreateView], "only where CREATE OR REPLACE refuses")),
    (
        "row security is switched on without a policy",
        Named(&[RowSecurityWithoutPolicy], "policies come first, in the same transaction"),
    ),
    ("an invalid index is left over", Form("it is dropped and built anew")),
    ("a transaction is in the way for long", Form("`apply` names who holds the lock, and tries again")),
    ("statistics are missing after a change of rows", Form("a backfill analyses the columns that it filled")),
    ("an index goes before its replacement is there", Named(&[RecreateObject], "the new one is built beside it")),
    ("an extension is updated", Named(&[ExtensionUpdate], "")),
    ("an identifier is cut at 63 bytes", Never("both sides are read from a server, which has cut it")),
    (
        "an extension stands in public, or is not the newest",
        Told(
            "`plan` on Supabase warns of one that is [served](supabase.md#the-api); which version is for the declaration to say",
        ),
    ),
    (
        "a table has no row security",
        Checked(
            &[Tenancy::RowSecurityOff, Tenancy::PolicyMissing],
            "on Supabase also [`plan`](supabase.md#the-api), for what the API serves",
        ),
    ),
    (
        "a view runs as its owner, a materialized view shows all",
        Checked(
            &[Tenancy::ViewRunsAsOwner, Tenancy::MaterializedViewShows],
            "a new view is also [`view-not-security-invoker`](#view-not-security-invoker)",
        ),
    ),
    (
        "a table without the tenant's key, or with one that may be null",
        Checked(&[Tenancy::KeyMissing, Tenancy::KeyNullable], ""),
    ),
    ("a unique or foreign key crosses tenants", Checked(&[Tenancy::UniqueCrosses, Tenancy::ReferenceCrosses], "")),
    ("no index begins with the tenant's key", Checked(&[Tenancy::IndexMissing], "")),
    (
        "a policy lets everybody through, or a row change its tenant",
        Checked(&[Tenancy::PolicyAlwaysTrue, Tenancy::PolicyUpdateUnchecked], ""),
    ),
    ("a policy trusts what users may edit", Checked(&[Tenancy::PolicyUserMetadata], "")),
    (
        "a policy is asked for each row, or several are",
        Checked(&[Tenancy::PolicyPerRow, Tenancy::PolicyOverlaps], ""),
    ),
    (
        "row security is not forced, or the application passes it",
        Checked(&[Tenancy::RowSecurityNotForced, Tenancy::OwnerIsApplication, Tenancy::RoleBypasses], ""),
    ),
    (
        "SECURITY DEFINER without a search_path of its own",
        Checked(&[Tenancy::DefinerSearchPath, Tenancy::DefinerWithoutTenant], ""),
    ),
    (
        "auth.users is shown, a foreign table is served",
        Checked(
            &[Tenancy::ForeignTable],
            "on Supabase also [`plan`](supabase.md#the-api): views over `auth` and `vault`",
        ),
    ),
    ("a publication sends what row security hides", Checked(&[Tenancy::PublicationShows], "")),
    (
        "privileges by default for everybody",
        Checked(&[Tenancy::DefaultPrivilegesOpen], "and [`public-grant`](#public-grant) where a plan brings them"),
    ),
    ("no primary key", Named(&[NoPrimaryKey], "by `lint`")),
    ("integer keys, serial", Named(&[IntegerKey, SerialColumn], "by `lint`")),
    ("a foreign key without an index", Named(&[ForeignKeyWithoutIndex], "by `lint`")),
    ("an index twice, or of many columns", Named(&[DuplicateIndex, WideIndex], "by `lint`")),
    (
        "json, timestamp without time zone, char(n), varchar(n)",
        Named(&[JsonColumn, NaiveTimestamp, PaddedText, LimitedText], "by `lint`"),
    ),
    ("an enum, a domain with a CHECK", Named(&[EnumByType, ConstrainedDomain], "by `lint`")),
    ("statements that can't be run again", Never("the journal knows what was done")),
    (
        "names without a namespace",
        Told("the declaration's search_path resolves them; a plan names every namespace"),
    ),
    (
        "an exception that nothing needs",
        Told("an error where it is a directive, a warning where it is in `[tenancy.allow]`"),
    ),
    (
        "a body speaks of what can't be seen from outside",
        Told("a warning at its place, where nobody declares it; strings are not looked at: `[queries]` are tried"),
    ),
    ("objects that the tool does not know", Told("a note names them; no plan makes, changes or drops them")),
    ("SQL written by hand inside of a plan", Never("an edited plan file is refused; `lint` is for scripts")),
    (
        "an index that nobody uses, a table or an index that is bloated",
        Unsaid("how it is used is no difference of two schemas; the server's statistics tell it"),
    ),
    (
        "names, owners and the order of columns that a rule of the house asks for",
        Unsaid("nothing that runs is stopped by it"),
    ),
];

//! Hazards: what a step may cost a running system, as one list with code, severity, effect and the safer way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kind::ObjectId;

/// How much a running system would feel it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Told, and planned.
    Warn,
    /// Applied only when accepted by name.
    Refuse,
}

/// A hazard of one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hazard {
    pub code: Code,
    pub object: ObjectId,
    /// That of the code, unless the repository decides otherwise.
    pub severity: Severity,
    /// The evidence, for people.
    pub why: String,
    /// Who accepted it: "--accept", or the reason in the declaration.
    pub accepted: Option<String>,
}

macro_rules! hazards {
    ($($Code:ident $code:literal $Severity:ident $effect:literal $safer:literal,)*) => {
        /// The code of a hazard, as `--accept` and the documentation spell it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $(#[serde(rename = $code)] $Code,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$Code,)*];

            pub fn name(self) -> &'static str {
                match self { $(Code::$Code => $code,)* }
            }

            pub fn severity(self) -> Severity {
                match self { $(Code::$Code => Severity::$Severity,)* }
            }

            /// What happens to a running system.
            pub fn effect(self) -> &'static str {
                match self { $(Code::$Code => $effect,)* }
            }

            /// What to do instead, or first.
            pub fn safer(self) -> &'static str {
                match self { $(Code::$Code => $safer,)* }
            }
        }
    };
}

hazards! {
    DropTable "drop-table" Refuse "the rows of the table are gone" "copy the rows, or stop its users first and drop later",
    DropColumn "drop-column" Refuse "the values of the column are gone, and code that names it fails" "stop reading and writing it first, drop it later",
    DropNamespace "drop-schema" Refuse "code that names the namespace fails" "drop it once nothing refers to it",
    DropSequence "drop-sequence" Refuse "the position of the sequence is gone" "keep it until nothing draws from it",
    DropMaterializedView "drop-materialized-view" Warn "the stored result is gone until it is built again" "build the new one beside it and rename",
    DropView "drop-view" Warn "code that reads the view fails" "stop reading it first",
    DropRoutine "drop-routine" Warn "code that calls the routine fails" "stop calling it first",
    DropType "drop-type" Warn "code that casts to the type fails" "stop using it first",
    DropExtension "drop-extension" Refuse "the functions and types of the extension are gone" "make sure that nothing outside the managed namespaces uses it",
    DropConstraint "drop-constraint" Warn "rows that it kept out may come in" "drop it only when its replacement is valid",
    DropIndex "drop-index" Warn "queries that used the index read the whole table" "see in pg_stat_user_indexes that nobody uses it",
    DropNotNull "drop-not-null" Warn "nulls may come in" "check that readers can take a null",
    DropDefault "drop-default-still-needed" Warn "an INSERT that leaves the column out fails or stores null" "keep the default until every writer names the column",
    EnumLabelRemoval "enum-value-removal" Refuse "rows that hold the label can't be cast; every table that uses the type is rewritten" "map the rows to another label first",
    NarrowType "change-type-narrowing" Refuse "values that the new type can't hold make the step fail or lose digits" "add a new column, backfill it, swap",
    RewriteTable "type-change-rewrite" Warn "the table is rewritten under a lock that blocks reads and writes" "add a new column, backfill it in batches, swap",
    ScanUnderLock "scan-under-lock" Warn "every row is read under a lock that blocks writes or more" "prove it first with a constraint that is NOT VALID, then VALIDATE",
    ColumnMoves "column-moves" Warn "an INSERT that names no columns puts its values into others" "name the columns in every INSERT and SELECT",
    RequiredColumn "adding-required-field" Refuse "existing rows have no value for the column" "declare a default or a backfill for it",
    BlockingIndex "index-not-concurrent" Warn "writes to the table wait until the index is built" "build it concurrently",
    UniqueMayFail "unique-may-fail" Warn "duplicates in the rows make the step fail" "look for duplicates first",
    ForeignKeyMayFail "foreign-key-may-fail" Warn "rows without a partner make the step fail" "look for orphans first",
    CheckMayFail "check-may-fail" Warn "rows that break the condition make the step fail" "look for such rows first",
    RecreateView "view-recreate" Warn "the view is away for the length of one transaction, and locked against reads" "keep its columns compatible, so that CREATE OR REPLACE will do",
    RecreateObject "object-recreate" Warn "the object is away until it is made again" "add the new one under another name first",
    SuspectedRename "suspected-undeclared-rename" Refuse "a drop and an add look like one rename; the values would be lost" "declare it with `was`, or say --no-renames",
    Rename "rename" Warn "code that uses the old name fails from this moment on" "keep both names alive until all code is deployed",
    RowSecurityLoosened "policy-or-rls-loosening" Refuse "rows that were hidden can be read or changed" "check who gains what, then accept it by name",
    LoosensAccess "loosens-access" Refuse "rows that the role could not reach can be read or changed by it" "narrow the policy or the grant, or accept it by name",
    RowSecurityWithoutPolicy "rls-enable-without-policy" Warn "everyone but the owner sees no rows at all" "create the policies first",
    ViewRunsAsOwner "view-not-security-invoker" Warn "the view reads its tables with the rights of its owner, past their row security" "set security_invoker = true",
    GrantToPublic "public-grant" Warn "every role that can connect gains the privilege" "grant it to the roles that need it",
    RevokePrivilege "revoke-privilege" Warn "code of the role that uses the privilege fails" "make sure that the role does not use it",
    ChangeOwner "change-owner" Warn "the former owner loses its rights, the new one passes row security" "grant what the former owner still needs",
    ExtensionUpdate "extension-upgrade" Warn "the update script of the extension runs; it may lock or rewrite" "read its release notes",
    DetachPartition "detach-partition" Warn "queries on the parent no longer see the rows of the partition" "make sure that nobody reads them through the parent",
    AttachScan "attach-without-proof" Warn "every row of the partition is read under a lock" "give it a valid CHECK that implies the bound first",
    SetUnlogged "set-logged" Warn "the table is rewritten under a lock that blocks reads and writes" "do it while nobody uses the table",
    StopTrigger "drop-trigger" Warn "what the trigger kept up no longer happens" "drop it only when nothing relies on it",
    BreaksQuery "breaks-query" Refuse "a statement that applications run fails from this step on" "release code that does without it first, or keep what it needs",
    PublicationChange "publication-change" Warn "subscribers see another set of tables, columns or rows" "tell those who run the subscribers",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! `tenantry init`: `tenantry.toml` and `schema/` from a live database, so that the next plan is empty.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{Context, failure};
use crate::diagnostic::{Exit, Report};
use crate::elaborate;
use crate::files;
use crate::introspect::{Reading, introspect};
use crate::kind::{Kind, ObjectId};
use crate::pipeline::Failure;
use crate::plan::{self, PlanError};
use crate::platform::Platform;
use crate::schema::{Facts, Schema};
use crate::scope::Scope;
use crate::shadow::Shadow;

/// The first file for a database that holds nothing yet.
const FIRST: &str = "-- The database was empty. What it shall hold is declared in files beside this one, of any name.\n\
                     CREATE SCHEMA public;";

/// Write tenantry.toml and the schema files of a live database
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The namespaces to manage (else every one that is not the server's own)
    #[arg(long, value_name = "PATTERN")]
    namespace: Vec<String>,
}

impl Init {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let target = context.target()?.ok_or_else(|| {
            let report = Report::error("init::no_database", "there is no database to begin with");
            failure(Exit::Usage, report.help("name it with --database URL, DATABASE_URL or PG* variables"))
        })?;
        let directory = context.config.schema.paths.first().cloned().unwrap_or_else(|| PathBuf::from("schema"));
        for path in [Path::new("tenantry.toml"), &directory] {
            if files::exists(path) {
                let report = Report::error("init::exists", format!("{} is there already", path.display()))
                    .help("init writes only where nothing is lost: run it elsewhere, or move that away");
                return Err(failure(Exit::Failed, report));
            }
        }
        let session = target.connect().await?;
        let Reading { schema: live, roles, .. } = introspect(&session.client, false).await?;
        let platform = Platform::recognised(&live, &roles);
        let shadow = Shadow::start(&context.shadow()?, Some(session.version.major())).await?;
        let database = shadow.create_database("fresh").await?;
        if let Some(platform) = platform {
            elaborate::platform(&shadow, &database, platform).await?;
        }
        let fresh = database.connect().await?;
        let scope = Scope { namespaces: self.namespace.clone(), platform, ..Scope::all() };
        let base = scope.split(&introspect(&fresh.client, false).await?.schema).0;
        // Who made the live objects makes the declared ones too, so that only other owners are worth a statement.
        let base = Schema { creator: live.creator.clone(), ..base };
        let (managed, _) = scope.split(&live);
        // What every new database has is not dropped: a declaration can only add.
        let mut wanted = managed;
        for (id, object) in &base.objects {
            wanted.objects.entry(id.clone()).or_insert_with(|| object.clone());
        }
        let steps = plan::make(&base, &wanted, &Facts::default()).map_err(|errors| refused(&errors))?;
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for step in &steps {
            let text = texts.entry(file_name(&wanted.whole_of(&step.subject))).or_default();
            let _ = writeln!(text, "{};\n", step.step.sql);
        }
        let empty = texts.is_empty();
        // What every database has can be declared where it is managed; a plan refuses a declaration of nothing.
        let public = base.objects.keys().any(|it| it.kind == Kind::Namespace && it.path[0].as_str() == "public");
        if empty && public {
            texts.insert("_namespaces.sql".to_owned(), FIRST.to_owned());
        }
        for (name, text) in &texts {
            write(&directory.join(name), text.trim_end())?;
        }
        write(Path::new("tenantry.toml"), &config(&directory, &self.namespace, platform))?;
        for it in live.unmanaged.keys() {
            context.tell(&format!("not managed, and not written: {it}"));
        }
        let directory = directory.display();
        context.tell(&match (empty, public) {
            (false, _) => format!("{} files below {directory}; `tenantry plan` compares", texts.len()),
            (true, true) => format!(
                "the database is empty: declare in files below {directory} what it shall hold; `tenantry plan` compares"
            ),
            (true, false) => format!(
                "nothing is there to manage: declare in {directory}/*.sql what there shall be, then run `tenantry plan`"
            ),
        });
        Ok(Exit::Done)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    files::write(path, &format!("{text}\n")).map_err(|report| failure(Exit::Failed, report))
}

fn refused(errors: &[PlanError]) -> Failure {
    let report = |error: &PlanError| Report::error("init::refused", error.to_string());
    Failure::new(Exit::Failed, errors.iter().map(report).collect())
}

/// A file for each table and view with all that is part of it, one a kind for the rest. Names that differ only in
/// case or in signs share a file: not every file system tells them apart.
fn file_name(whole: &ObjectId) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    };
    match (whole.kind, &whole.path[..]) {
        (Kind::Table | Kind::View | Kind::MaterializedView, [namespace, name]) => {
            format!("{}/{}.sql", plain(namespace.as_str()), plain(name.as_str()))
        }
        (kind, [namespace, _, ..]) => format!("{}/_{}s.sql", plain(namespace.as_str()), plain(kind.noun())),
        (kind, _) => format!("_{}s.sql", plain(kind.noun())),
    }
}

fn config(directory: &Path, namespaces: &[String], platform: Option<Platform>) -> String {
    let paths = toml::Value::from(vec![directory.display().to_string()]);
    let namespaces = toml::Value::from(namespaces.to_vec());
    let platform = platform.map(|it| format!("platform = \"{it}\"\n\n")).unwrap_or_default();
    format!(
        "# docs/configuration.md lists all keys.\n\n{platform}[schema]\npaths = {paths}\n\n[manage]\n# None means every \
         namespace that is not the server's own.\nnamespaces = {namespaces}\nignore = []"
    )
}

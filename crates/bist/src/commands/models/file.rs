//! `bist models export`, `bist models import` and `bist models table`: a version as a file, trees that
//! learned elsewhere, and what those learn from.

use std::path::PathBuf;

use bist_app::given_trees::{ExportedTrees, LearningTable, TreesSaid};
use bist_app::model_file::{ExportedModel, ImportedModel};
use bist_app::out_file::Existing;
use bist_app::{App, HORIZON_DEFAULT, Horizon, ModelVersion, parse_horizon};
use bist_lifecycle::evaluation::LearningTarget;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::{Named, ReasonArgs};
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    to: ToFile,
    /// What to write: the whole version as a zip archive, or its trees as LightGBM's text, by which
    /// other programs forecast what the trees here do
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Archive)]
    format: Format,
}

/// The forms in which a version is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Archive,
    Lightgbm,
}

/// Where to write.
#[derive(Args, Debug)]
struct ToFile {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl ToFile {
    const fn existing(&self) -> Existing {
        if self.force { Existing::Replace } else { Existing::Keep }
    }
}

#[derive(Args, Debug)]
pub(crate) struct TableArgs {
    /// How far ahead the target looks: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    #[command(flatten)]
    to: ToFile,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// What `bist models export` wrote, or trees that learned elsewhere as LightGBM's text
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Of LightGBM's text: the last day of whose prices the trees know anything, as features or as
    /// outcomes; they are judged on later days
    #[arg(long, value_name = "DATE", requires = "horizon")]
    known_until: Option<Date>,
    /// Of LightGBM's text: how far ahead the trees look, 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", requires = "known_until", value_parser = parse_horizon)]
    horizon: Option<Horizon>,
    /// Of LightGBM's text: seed of what is learned beside the trees
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[command(flatten)]
    why: ReasonArgs,
}

impl ExportArgs {
    pub(super) async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let version = app.find_model(&self.named.name, self.named.of.horizon).await?;
        let ToFile { out, .. } = &self.to;
        match self.format {
            Format::Archive => {
                let exported = app.export_model(version, out, self.to.existing()).await?;
                terminal.result(&exported, || exported_text(&exported))
            }
            Format::Lightgbm => {
                let exported = app.export_trees(&version, out, self.to.existing()).await?;
                terminal.result(&exported, || trees_text(&exported))
            }
        }
    }
}

impl TableArgs {
    pub(super) async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let Self { horizon, to } = self;
        let progress = terminal.progress();
        let table = app.write_learning_table(horizon, &to.out, to.existing(), progress).await?;
        terminal.result(&table, || table_text(&table))
    }
}

impl ImportArgs {
    pub(super) async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let Self { file, known_until, horizon, seed, why } = self;
        if let (Some(known_until), Some(horizon)) = (known_until, horizon) {
            let said = TreesSaid { horizon, known_until, seed };
            let version = app.take_in_trees(&file, said, why.asked(), terminal.progress()).await?;
            return terminal.result(&version, || taken_in_text(&version));
        }
        let imported = app.import_model(&file, why.asked()).await?;
        terminal.result(&imported, || imported_text(&imported))
    }
}

fn taken_in_text(version: &ModelVersion) -> String {
    let ModelVersion { id, evaluation, .. } = version;
    format!(
        "{evaluation}\n{id} is a candidate; bist models promote {id} --reason TEXT puts it in force\n"
    )
}

/// What the trees forecast, so that another program is asked the right question.
const fn target_text(target: LearningTarget) -> &'static str {
    match target {
        LearningTarget::RelativeToDay => {
            "the log-return over the horizon less the mean of all symbols of that moment"
        }
        LearningTarget::Absolute => "the log-return over the horizon",
    }
}

fn trees_text(exported: &ExportedTrees) -> String {
    let ExportedTrees { model_version, file, trees_count, learning_target } = exported;
    format!(
        "{trees_count} trees of {model_version} are in {}; they forecast {}\n",
        file.display(),
        target_text(*learning_target)
    )
}

fn table_text(table: &LearningTable) -> String {
    let LearningTable {
        file,
        horizon,
        learning_target,
        rows_count,
        rows_with_target_count,
        features_count,
    } = table;
    format!(
        "{} has {rows_count} rows of {features_count} features, {rows_with_target_count} of them with \
         the target {}: {}. Train on rows whose known_on is not after a day of your choice, and give \
         that day to bist models import as --known-until.\n",
        file.display(),
        horizon.in_words(),
        target_text(*learning_target)
    )
}

fn exported_text(exported: &ExportedModel) -> String {
    let ExportedModel { model_version, file, size_bytes, has_snapshot } = exported;
    let without = if *has_snapshot {
        ""
    } else {
        "; what its bars were was not noted yet when it was trained, so that bist models reproduce \
         will not do elsewhere either"
    };
    format!("{model_version} is in {} ({size_bytes} bytes){without}\n", file.display())
}

fn imported_text(imported: &ImportedModel) -> String {
    let id = &imported.version.id;
    if imported.was_there {
        return format!("{id} was here already: it stays {}\n", imported.version.state);
    }
    format!(
        "{id} is a candidate here; bist models reproduce {id} shows whether it comes out the same on \
         these bars, bist models promote {id} --reason TEXT puts it in force\n"
    )
}

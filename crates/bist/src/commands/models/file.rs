//! `bist models export` and `bist models import`: a version as a file.

use std::path::PathBuf;

use bist_app::App;
use bist_app::model_file::{Existing, ExportedModel, ImportedModel};
use clap::Args;

use super::{Named, ReasonArgs};
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    named: Named,
    /// The file to write, a zip archive
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// What `bist models export` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    why: ReasonArgs,
}

impl ExportArgs {
    pub(super) async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let version = app.find_model(&self.named.name, self.named.of.horizon).await?;
        let existing = if self.force { Existing::Replace } else { Existing::Keep };
        let exported = app.export_model(version, &self.out, existing).await?;
        terminal.result(&exported, || exported_text(&exported))
    }
}

impl ImportArgs {
    pub(super) async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let imported = app.import_model(&self.file, self.why.asked()).await?;
        terminal.result(&imported, || imported_text(&imported))
    }
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

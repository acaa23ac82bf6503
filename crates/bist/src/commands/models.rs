//! `bist models`: which versions there are, how they differ, and which is in force.

mod file;
mod text;

use anyhow::{anyhow, ensure};
use bist_app::explanations::words::Language;
use bist_app::registry::Moved;
use bist_app::{App, HORIZON_DEFAULT, Horizon, ModelVersion, parse_horizon};
use bist_lifecycle::{ModelState, StateChange};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{ReasonArgs, open};
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// All versions, the newest first
    List(ListArgs),
    /// One version: what it was made from, what it was worth, and how it came to stand where it stands
    Show(ShowArgs),
    /// The model card of a version, as Markdown: what it is for, what it learned from, what it was
    /// worth, and what it cannot tell
    Card(CardArgs),
    /// How two versions differ, in what they were made from and what they were worth
    Diff(DiffArgs),
    /// Why each version stands where it stands: all changes, the newest first
    History(HistoryArgs),
    /// Put a version in force; the champion of its horizon retires
    Promote(MoveArgs),
    /// Put the champion before the present one in force again
    Rollback(RollbackArgs),
    /// Try a version beside the champion: it becomes the challenger
    Stage(MoveArgs),
    /// Make versions and signals again from what they were made of, and compare byte by byte
    Reproduce(ReproduceArgs),
    /// Write a version to a file, by which another data directory takes it in; or its trees alone, in
    /// `LightGBM`'s text format
    Export(file::ExportArgs),
    /// Take a version in from a file: it becomes a candidate, whatever it was elsewhere. Trees that
    /// `LightGBM` trained are first judged on days that they do not know
    Import(file::ImportArgs),
    /// Write what models learn from as a CSV table, for other programs to train trees on
    Table(file::TableArgs),
    /// Take a version out of the choice; it is kept, and may be put in force again
    Retire(MoveArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only those that look so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", value_parser = parse_horizon)]
    horizon: Option<Horizon>,
    /// Only those that stand there: candidate, staged, champion or retired
    #[arg(long)]
    state: Option<ModelState>,
}

/// A version by name.
#[derive(Args, Debug)]
struct Named {
    /// The version: its name or the beginning of it or of its digits, champion, or challenger
    #[arg(value_name = "VERSION")]
    name: String,
    #[command(flatten)]
    of: OfHorizon,
}

#[derive(Args, Debug)]
struct OfHorizon {
    /// Of which horizon the champion or challenger is meant: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    named: Named,
}

#[derive(Args, Debug)]
pub(crate) struct CardArgs {
    #[command(flatten)]
    named: Named,
    /// The language: tr or en
    #[arg(long, value_name = "LANGUAGE", default_value_t = Language::Turkish)]
    lang: Language,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// The first version, as with show
    #[arg(value_name = "BEFORE")]
    before: String,
    /// The second version
    #[arg(value_name = "AFTER")]
    after: String,
    #[command(flatten)]
    of: OfHorizon,
}

#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// Only of versions that look so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", value_parser = parse_horizon)]
    horizon: Option<Horizon>,
}

#[derive(Args, Debug)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    why: ReasonArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    of: OfHorizon,
    #[command(flatten)]
    why: ReasonArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ReproduceArgs {
    /// Versions, as with show: each is trained again
    #[arg(value_name = "VERSION", required_unless_present = "signals")]
    names: Vec<String>,
    /// A stored signal, by its name: its model speaks again of the bars of then; may be given several
    /// times
    #[arg(long = "signal", value_name = "ID")]
    signals: Vec<String>,
    #[command(flatten)]
    of: OfHorizon,
}

/// A version in the list.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    state: ModelState,
    #[serde(flatten, with = "bist_models::horizon::fields")]
    horizon: Horizon,
    origin: bist_market::Origin,
    trained_at: jiff::Timestamp,
    first_day: jiff::civil::Date,
    last_day: jiff::civil::Date,
    rank_ic: Option<bist_trading::Estimate>,
    skill_shown: bool,
    /// Whether a study found its configuration.
    is_tuned: bool,
}

impl<'a> From<&'a ModelVersion> for Row<'a> {
    fn from(version: &'a ModelVersion) -> Self {
        let ModelVersion { lineage, evaluation, .. } = version;
        Self {
            id: &version.id,
            state: version.state,
            horizon: evaluation.horizon,
            origin: version.origin,
            trained_at: version.trained_at,
            first_day: lineage.first_day,
            last_day: lineage.last_day,
            rank_ic: evaluation.rank_ic.estimate,
            skill_shown: evaluation.skill.shown,
            is_tuned: !lineage.tuned.is_empty(),
        }
    }
}

/// A JSON document that is a list.
#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

/// What a change of the champion gave.
#[derive(Serialize)]
struct InForce<'a> {
    version: Row<'a>,
    changes: &'a [StateChange],
    /// The signals that it gave of the newest bars.
    signals_count: usize,
    /// Why there are none.
    without_signals: Option<String>,
}

impl ModelsCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let done = self.run_with(&app, terminal).await;
        app.close().await;
        done
    }

    async fn run_with(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::List(args) => {
                let mut versions = app.model_versions().await?;
                versions.retain(|version| args.wants(version));
                let items: Vec<Row<'_>> = versions.iter().map(Row::from).collect();
                let list = Items { items };
                terminal.result(&list, || text::list(&list.items))
            }
            Self::Show(ShowArgs { named }) => {
                let version = app.find_model(&named.name, named.of.horizon).await?;
                let version = app.with_history(version).await?;
                terminal.result(&version, || text::version(&version))
            }
            Self::Card(CardArgs { named, lang }) => {
                let version = app.find_model(&named.name, named.of.horizon).await?;
                let card = app.model_card(version).await?;
                terminal.result(&card, || card.markdown(lang))
            }
            Self::Diff(args) => {
                let before = app.find_model(&args.before, args.of.horizon).await?;
                let after = app.find_model(&args.after, args.of.horizon).await?;
                let difference = bist_lifecycle::ModelDifference::of(&before, &after);
                terminal.result(&difference, || text::difference(&difference))
            }
            Self::History(args) => {
                let mut items = app.state_changes(args.horizon).await?;
                items.reverse();
                let history = Items { items };
                terminal.result(&history, || text::changes(&history.items))
            }
            Self::Promote(args) => {
                let version = args.version(app).await?;
                let moved = app.promote_model(&version, args.why.asked()).await?;
                in_force(app, &moved, terminal).await
            }
            Self::Rollback(args) => {
                let moved = app.roll_back_model(args.of.horizon, args.why.asked()).await?;
                in_force(app, &moved, terminal).await
            }
            Self::Reproduce(args) => args.run(app, terminal).await,
            Self::Export(args) => args.run(app, terminal).await,
            Self::Import(args) => args.run(app, terminal).await,
            Self::Table(args) => args.run(app, terminal).await,
            Self::Stage(args) => args.move_to(ModelState::Staged, app, terminal).await,
            Self::Retire(args) => args.move_to(ModelState::Retired, app, terminal).await,
        }
    }
}

impl ListArgs {
    fn wants(&self, version: &ModelVersion) -> bool {
        self.horizon.is_none_or(|horizon| version.evaluation.horizon == horizon)
            && self.state.is_none_or(|state| version.state == state)
    }
}

impl ReproduceArgs {
    async fn run(self, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let mut items = Vec::new();
        for name in &self.names {
            let version = app.find_model(name, self.of.horizon).await?;
            items.push(app.reproduce_version(&version, terminal.progress()).await?);
        }
        for id in &self.signals {
            let signal = app.signal(id).await?;
            let signal = signal.ok_or_else(|| anyhow!("there is no signal '{id}'"))?;
            items.push(app.reproduce_signal(&signal, terminal.progress()).await?);
        }
        let differing_count = items.iter().filter(|item| !item.reproduced).count();
        let count = items.len();
        let report = Items { items };
        terminal.result(&report, || text::reproductions(&report.items))?;
        ensure!(differing_count == 0, "{differing_count} of {count} did not come out as they were");
        Ok(())
    }
}

impl MoveArgs {
    async fn version(&self, app: &App) -> anyhow::Result<ModelVersion> {
        Ok(app.find_model(&self.named.name, self.named.of.horizon).await?)
    }

    async fn move_to(self, to: ModelState, app: &App, terminal: &Terminal) -> anyhow::Result<()> {
        let version = self.version(app).await?;
        let moved = app.move_model(&version, to, self.why.asked()).await?;
        terminal.result(&moved, || text::moved(&moved))
    }
}

/// Tells of the new champion, which is in force, and lets it speak of the newest bars.
async fn in_force(app: &App, moved: &Moved, terminal: &Terminal) -> anyhow::Result<()> {
    terminal.say(&text::moved(moved));
    let horizon = moved.version.evaluation.horizon;
    let made = app.make_signals(Some(&[horizon]), terminal.progress()).await;
    let signals_count = match &made {
        Ok(made) => made.reports.iter().map(|report| report.signals.len()).sum(),
        Err(_) => 0,
    };
    let report = InForce {
        version: Row::from(&moved.version),
        changes: &moved.changes,
        signals_count,
        without_signals: made.err().map(|error| error.to_string()),
    };
    terminal.result(&report, || text::signals(&report))
}

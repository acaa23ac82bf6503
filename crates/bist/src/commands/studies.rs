//! `bist studies`: the studies of the database, and their plots.

mod plot;

use bist_app::studies::StudyWithTrials;
use clap::Subcommand;
use serde::Serialize;

use self::plot::PlotArgs;
use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum StudiesCommand {
    /// All of them, the newest first
    List,
    /// Draw one
    Plot(PlotArgs),
}

/// A study in the list.
#[derive(Serialize)]
struct Row {
    name: String,
    objectives: Vec<String>,
    state: &'static str,
    complete_count: u64,
    pruned_count: u64,
    failed_count: u64,
    /// The values of the best trial; empty without one, and where there are several objectives.
    best: Vec<f64>,
}

impl From<StudyWithTrials> for Row {
    fn from(study: StudyWithTrials) -> Self {
        let overview = study.overview;
        let best = match (overview.directions.as_slice(), study.history.best().first()) {
            ([_], Some(trial)) => trial.values.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        Self {
            name: overview.name,
            objectives: overview.objectives,
            state: overview.state.as_str(),
            complete_count: overview.trials.complete,
            pruned_count: overview.trials.pruned,
            failed_count: overview.trials.fail,
            best,
        }
    }
}

/// The JSON document.
#[derive(Serialize)]
struct Studies {
    items: Vec<Row>,
}

impl StudiesCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        match self {
            Self::List => {
                let items = app.studies().await?.into_iter().map(Row::from).collect();
                app.close().await;
                let studies = Studies { items };
                terminal.result(&studies, || text(&studies))
            }
            Self::Plot(args) => {
                let drawn = args.draw(&app).await;
                app.close().await;
                let drawn = drawn?;
                terminal.result(&drawn, || format!("drew {}\n", drawn.file.display()))
            }
        }
    }
}

fn text(studies: &Studies) -> String {
    if studies.items.is_empty() {
        return "there is no study; bist tune makes them\n".to_owned();
    }
    let line = |row: &Row| {
        let best: Vec<String> = row.best.iter().map(|value| format!(", best {value:.4}")).collect();
        format!(
            "{:<32} {:<9} {} complete, {} pruned, {} failed{}\n",
            row.name,
            row.state,
            row.complete_count,
            row.pruned_count,
            row.failed_count,
            best.concat()
        )
    };
    studies.items.iter().map(line).collect()
}

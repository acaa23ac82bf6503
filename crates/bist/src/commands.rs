//! The commands, one file each.

mod audit;
mod backup;
mod bench;
mod doctor;
mod evaluate;
mod experiments;
mod explain;
mod ingest;
mod jobs;
mod keys;
mod market;
mod migrate;
mod models;
mod picture;
mod sample;
mod secrets;
mod serve;
mod signals;
mod studies;
mod train;
mod tune;
mod users;
mod validate;

use std::sync::Arc;

use bist_access::Actor;
use bist_app::App;
use bist_app::registry::Asked;
use bist_app::telemetry::ProcessLog;
use bist_market::Clock;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::config::{Config, OPERATOR_UNKNOWN};
use crate::terminal::Terminal;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a sample market: generated shares that obey the exchange's rules, with known truth
    Sample(sample::SampleArgs),
    /// Take in market data
    Ingest(ingest::IngestArgs),
    /// Check the stored bars; bad rows are quarantined and told
    Validate(validate::ValidateArgs),
    /// Train the model, prove it out of sample, and put it in force
    Train(train::TrainArgs),
    /// Look for a better configuration, and compare it with the one in force on days no trial saw
    Tune(tune::TuneArgs),
    /// The studies of tuning: which there are, and their plots
    #[command(subcommand)]
    Studies(studies::StudiesCommand),
    /// The versions of the models: which there are, how they differ, and which is in force
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Experiments: the champion beside challengers, judged by a rule that was declared before
    #[command(subcommand)]
    Experiments(experiments::ExperimentsCommand),
    /// Run the out-of-sample proof again on the data as they are now
    Evaluate(evaluate::EvaluateArgs),
    /// Forecasts and signals of the model in force for the latest bars
    Signals(signals::SignalsArgs),
    /// Why a forecast is what it is, and what it would be
    Explain(explain::ExplainArgs),
    /// Background work: the nightly ingest and the retraining, watched, begun, cancelled
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Keys and passwords of services, sealed in the database by a master key
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// The records of what was done: which there are, and whether they are those that were written
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Backups: everything that cannot be made again, in one encrypted file, and back
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// The database: what it holds, and moving all of it to another
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Accounts: who may sign in, and what they may do
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// API keys: what programs show instead of a password
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Serve the HTTP API and the web app
    Serve(serve::ServeArgs),
    /// How well this installation is protected
    Doctor(doctor::DoctorArgs),
    /// What the exchange's rules say
    Market(market::MarketArgs),
    /// How fast this is beside what one would use instead, and what it finds where the truth is known
    Bench(bench::BenchArgs),
}

impl Command {
    /// Does it; `log` is what comes of the log of this process, which a server keeps.
    pub(crate) async fn run(
        self,
        config: &Config,
        terminal: &Terminal,
        log: ProcessLog,
    ) -> anyhow::Result<()> {
        match self {
            Self::Sample(args) => args.run(config, terminal).await,
            Self::Ingest(args) => args.run(config, terminal).await,
            Self::Validate(args) => args.run(config, terminal).await,
            Self::Train(args) => args.run(config, terminal).await,
            Self::Tune(args) => args.run(config, terminal).await,
            Self::Studies(command) => command.run(config, terminal).await,
            Self::Models(command) => command.run(config, terminal).await,
            Self::Experiments(command) => command.run(config, terminal).await,
            Self::Evaluate(args) => args.run(config, terminal).await,
            Self::Signals(args) => args.run(config, terminal).await,
            Self::Explain(args) => args.run(config, terminal).await,
            Self::Jobs(command) => command.run(config, terminal).await,
            Self::Secrets(command) => command.run(config, terminal).await,
            Self::Audit(command) => command.run(config, terminal).await,
            Self::Backup(command) => command.run(config, terminal).await,
            Self::Migrate(command) => command.run(config, terminal).await,
            Self::Users(command) => command.run(config, terminal).await,
            Self::Keys(command) => command.run(config, terminal).await,
            Self::Serve(args) => args.run(config, terminal, log).await,
            Self::Doctor(args) => args.run(config, terminal).await,
            Self::Market(args) => args.run(terminal),
            Self::Bench(args) => args.run(config, terminal).await,
        }
    }
}

/// Who decides, and why.
#[derive(Args, Debug)]
struct ReasonArgs {
    /// Why; it is recorded with what is done
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who; it is recorded with what is done
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = OPERATOR_UNKNOWN,
        hide_env_values = true
    )]
    by: String,
}

impl ReasonArgs {
    fn asked(&self) -> Asked<'_> {
        Asked { by: &self.by, reason: &self.reason }
    }
}

/// The wall clock.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Opens the data directory that `config` names for whoever types the command, and nothing that a
/// secret may be needed for.
async fn open_directory(config: &Config) -> anyhow::Result<App> {
    let database = config.database.settings()?;
    let app =
        App::open_at(&config.data_dir, &database, Arc::new(SystemClock), config.policy).await?;
    let app = app.with_actor(Actor::Operator(config.operator.clone()));
    let app = app.with_job_lease(config.processes.job_lease);
    let app = app.with_backups(config.backup.clone());
    Ok(match &config.master_key {
        Some(source) => app.with_master_key(source.clone()),
        None => app,
    })
}

/// Opens the data directory that `config` names.
async fn open(config: &Config) -> anyhow::Result<App> {
    let app = open_directory(config)
        .await?
        .with_source_order(config.source_order.clone())
        .with_price_basis(config.price_basis.clone())
        .with_stored_credentials(config.stored_credentials.clone());
    let app = match &config.bucket {
        Some(bucket) => bucket.open(app).await?,
        None => app,
    };
    let app = match &config.backup_bucket {
        Some(bucket) => bucket.open_for_copies(app).await?,
        None => app,
    };
    Ok(match &config.nightly {
        Some(nightly) => app.with_nightly(nightly.clone()),
        None => app,
    })
}

/// The same, ready to ask services.
async fn open_with_services(config: &Config) -> anyhow::Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let providers = bist_feeds::providers(&config.sources, config.kap, &clock)?;
    Ok(open(config).await?.with_providers(providers))
}

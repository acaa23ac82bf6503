//! `bist serve`: the HTTP API and the web app.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bist_app::App;
use bist_app::jobs::Job;
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::{open, open_with_services};
use crate::config::Config;
use crate::terminal::{Terminal, told_to_stop};

/// How often it is looked whether somebody asks for a job.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After so many looks, also whether one is due by its schedule.
const LOOKS_PER_MINUTE: u64 = 30;

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "BIST_BIND")]
    bind: Option<SocketAddr>,
}

/// The JSON document, printed once the server listens.
#[derive(Serialize)]
struct Listening {
    address: String,
}

impl ServeArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let bind = self.bind.unwrap_or(config.bind);
        if !bind.ip().is_loopback() {
            bail!(
                "refusing to listen on {bind}: there are no accounts yet, so only this machine may connect; use a loopback address such as 127.0.0.1:8080"
            );
        }
        let app = if config.nightly.is_some() {
            open_with_services(config).await?
        } else {
            open(config).await?
        };
        app.check_secrets().await?;
        let app = if config.retraining { app.with_retraining() } else { app };
        let app = Arc::new(app);
        let listener = TcpListener::bind(bind).await.with_context(|| {
            format!("cannot listen on {bind}; if the port is in use, choose another with --bind")
        })?;
        let address = format!("http://{}", listener.local_addr()?);
        terminal.result(&Listening { address: address.clone() }, || {
            format!("serving {address}  (data in {})", config.data_dir.display())
        })?;
        terminal.say(
            "there are no accounts in this version: it listens on this machine only; stop with Ctrl-C",
        );
        // The first page should not wait for the bars to be read and checked.
        let warm = Arc::clone(&app);
        tokio::spawn(async move {
            if let Err(error) = warm.daily_bars().await {
                tracing::error!(%error, "reading the bars: {error}");
            }
        });
        let jobs = Job::ALL.map(|job| tokio::spawn(run_job(Arc::clone(&app), job)));
        bist_server::serve(app, listener, told_to_stop()).await.context("serving")?;
        // What is under way goes on after the last stage that was done, when somebody looks again.
        for job in jobs {
            job.abort();
        }
        terminal.say("stopped");
        Ok(())
    }
}

/// Does `job` whenever it is due, or asked for. The clock is asked every minute, so that a machine that
/// slept makes up for what it missed as soon as it wakes.
async fn run_job(app: Arc<App>, job: Job) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        looks.tick().await;
        let run = match look % LOOKS_PER_MINUTE {
            0 => app.run_job(job, Arc::new(|_| {})).await,
            _ => app.run_waiting_job(job, Arc::new(|_| {})).await,
        };
        // What comes of a run is logged by it.
        if let Err(error) = run {
            tracing::error!(%error, "the {} could not be run: {error}", job.as_str());
        }
    }
}

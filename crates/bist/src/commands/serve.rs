//! `bist serve`: the HTTP API and the web app.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bist_access::{Actor, Role};
use bist_app::App;
use bist_app::certificates::{AcmeSettings, Certificates};
use bist_app::jobs::Job;
use bist_app::live::ReplayPlan;
use bist_server::{Origin, ServerSettings};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::users::{ADMINISTRATOR, link};
use super::{open, open_with_services};
use crate::config::Config;
use crate::config::edge::TlsFiles;
use crate::terminal::{Terminal, told_to_stop};

/// How often it is looked whether somebody asks for a job.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// After so many looks, also whether one is due by its schedule.
const LOOKS_PER_MINUTE: u32 = 30;

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "BIST_BIND")]
    bind: Option<SocketAddr>,
    /// File with the certificate, and those that lead to its root (PEM); TLS then ends here
    #[arg(long, value_name = "FILE", env = "BIST_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File with the key of the certificate (PEM), which only its owner may read
    #[arg(long, value_name = "FILE", env = "BIST_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Replays the last sessions as if they went on now, so many times as fast as they were; the pages
    /// say so [default: live.replay, otherwise nothing is replayed]
    #[arg(long, value_name = "SPEED")]
    replay: Option<f64>,
}

/// The JSON document, printed once the server listens.
#[derive(Serialize)]
struct Listening {
    address: String,
}

impl ServeArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let bind = self.bind.unwrap_or(config.bind);
        let replay = config.live.replay(self.replay)?;
        let app = if config.nightly.is_some() {
            open_with_services(config).await?
        } else {
            open(config).await?
        };
        // What is due by a schedule is nobody's command.
        let app = app
            .with_actor(Actor::System)
            .with_live(config.live.kept)
            .with_alerts(config.alerts.clone());
        app.check_secrets().await?;
        let app = if config.retraining { app.with_retraining() } else { app };
        let tls = self.tls_cert.zip(self.tls_key);
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        let certificates = config.edge.certificates(&app).await?;
        let settings = config.edge.settings(&app, tls, certificates.clone()).await?;
        check_listening(bind, &settings)?;
        let app = Arc::new(app);
        let listener = TcpListener::bind(bind).await.with_context(|| {
            format!("cannot listen on {bind}; if the port is in use, choose another with --bind")
        })?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{}", listener.local_addr()?);
        terminal.result(&Listening { address: address.clone() }, || {
            format!("serving {address}  (data in {})", config.data_dir.display())
        })?;
        if let Some(certificates) = &certificates {
            terminal.say(&told(certificates));
        }
        welcome(&app, config, &address, terminal).await?;
        terminal.say("stop with Ctrl-C");
        // The first page should not wait for the bars to be read and checked.
        let warm = Arc::clone(&app);
        tokio::spawn(async move {
            if let Err(error) = warm.daily_bars().await {
                tracing::error!(%error, "reading the bars: {error}");
            }
        });
        let notes = tokio::spawn(note_audit_roots(Arc::clone(&app)));
        let care = certificates.map(|ours| tokio::spawn(look_after_certificate(ours)));
        let follows = tokio::spawn(follow(Arc::clone(&app), replay));
        let alerting = Arc::clone(&app);
        let alerts = tokio::spawn(async move { alerting.follow_alerts().await });
        let jobs = Job::ALL.map(|job| tokio::spawn(run_job(Arc::clone(&app), job)));
        bist_server::serve(app, settings, listener, told_to_stop()).await.context("serving")?;
        // What is under way goes on after the last stage that was done, when somebody looks again.
        for job in jobs {
            job.abort();
        }
        notes.abort();
        follows.abort();
        // What was taken up is due again when its lease is over.
        alerts.abort();
        if let Some(care) = care {
            care.abort();
        }
        terminal.say("stopped");
        Ok(())
    }
}

/// Tells how the first administrator comes in, while nobody can. The link is a secret, and shown to
/// somebody at a terminal only: anywhere else it would end up in a log.
async fn welcome(
    app: &App,
    config: &Config,
    address: &str,
    terminal: &Terminal,
) -> anyhow::Result<()> {
    if app.has_administrator().await? {
        return Ok(());
    }
    if !app.users().await?.is_empty() || !io::stderr().is_terminal() {
        terminal.say(
            "no administrator can sign in yet; `bist users create-admin` makes one, and `bist users \
             reset NAME` another link for one that was made",
        );
        return Ok(());
    }
    let invited = app.invite(ADMINISTRATOR, Role::Admin).await?;
    let base_url = config.edge.public_url().map_or(address.to_owned(), ToString::to_string);
    terminal.say(&format!(
        "nobody has an account yet; set the password of '{ADMINISTRATOR}' by this link, which works \
         once:\n{}",
        link(&base_url, &invited)
    ));
    Ok(())
}

/// Refuses to listen beyond this machine unless nothing passes there in the clear.
pub(super) fn check_listening(bind: SocketAddr, settings: &ServerSettings) -> anyhow::Result<()> {
    if bind.ip().is_loopback() {
        return Ok(());
    }
    let is_https = settings.public_url.as_ref().is_some_and(Origin::is_https);
    if !is_https {
        bail!(
            "refusing to listen on {bind} beyond this machine: nothing says under which address \
             people come; set server.public_url to one that begins with https://, or listen on a \
             loopback address such as 127.0.0.1:8080"
        );
    }
    if settings.tls.is_none() && settings.trusted_proxies.is_empty() {
        bail!(
            "refusing to listen on {bind} beyond this machine: passwords would pass in the clear; \
             give a certificate by --tls-cert and --tls-key, have one ordered by server.acme, or name the \
             proxy where TLS ends in server.trusted_proxies"
        );
    }
    Ok(())
}

/// What is to be known of the certificate at the beginning.
fn told(certificates: &Certificates) -> String {
    let AcmeSettings { domains, directory, .. } = certificates.settings();
    let domains = domains.join(", ");
    match certificates.current() {
        Some(current) => {
            format!("the certificate for {domains} is good until {}", current.validity.not_after)
        }
        None => format!(
            "there is no certificate for {domains} yet, and every connection is refused until {directory} \
             has given one; the log says what comes of it"
        ),
    }
}

/// Tells those who listen what changes, and what is replayed.
async fn follow(app: Arc<App>, replay: Option<ReplayPlan>) {
    let replayed = async {
        let Some(plan) = replay else { return };
        if let Err(error) = app.replay_sessions(plan).await {
            tracing::error!(%error, "nothing is replayed: {error}");
        }
    };
    tokio::join!(app.follow_changes(), replayed);
}

/// Has the certificate ordered and renewed in time.
async fn look_after_certificate(certificates: Arc<Certificates>) {
    loop {
        let wait = certificates.look().await.unwrap_or_else(|error| {
            tracing::error!(%error, "the certificate could not be looked after: {error}");
            LOOK_EVERY * LOOKS_PER_MINUTE
        });
        tokio::time::sleep(wait).await;
    }
}

/// Notes each day where the audit stands. The clock is asked every minute, as for jobs.
async fn note_audit_roots(app: Arc<App>) {
    let mut looks = tokio::time::interval(LOOK_EVERY * LOOKS_PER_MINUTE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Err(error) = app.note_audit_root().await {
            tracing::error!(%error, "where the audit stands could not be noted: {error}");
        }
    }
}

/// Does `job` whenever it is due, or asked for. The clock is asked every minute, so that a machine that
/// slept makes up for what it missed as soon as it wakes.
async fn run_job(app: Arc<App>, job: Job) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        looks.tick().await;
        let run = match look % u64::from(LOOKS_PER_MINUTE) {
            0 => app.run_job(job, Arc::new(|_| {})).await,
            _ => app.run_waiting_job(job, Arc::new(|_| {})).await,
        };
        // What comes of a run is logged by it.
        if let Err(error) = run {
            tracing::error!(%error, "the {} could not be run: {error}", job.as_str());
        }
    }
}

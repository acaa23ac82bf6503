//! `bist serve`: the HTTP API and the web app, or one of the other roles of an installation.

mod background;
mod quotes;

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bist_access::{Actor, AuditRoot, Role};
use bist_app::certificates::{AcmeSettings, Certificates};
use bist_app::telemetry::ProcessLog;
use bist_app::{App, ProcessRole, blocking};
use bist_server::{Origin, ServerSettings};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;

use super::users::{ADMINISTRATOR, link};
use super::{open, open_with_services};
use crate::config::Config;
use crate::config::edge::TlsFiles;
use crate::process::Program;
use crate::terminal::{StopSignal, Terminal};

/// How long what waits at the end may take to be kept.
const KEEPING_TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// What this process does: `all`, `api`, `worker` or `scheduler` [default: role, otherwise all]
    #[arg(long, value_name = "ROLE")]
    role: Option<ProcessRole>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8080; of workers and
    /// schedulers, which say there only how they are, 127.0.0.1:8081]
    // The last one counts: a process that begins anew stays where it is found.
    #[arg(long, value_name = "ADDRESS", env = "BIST_BIND", overrides_with = "bind")]
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
    role: &'static str,
}

impl ServeArgs {
    pub(crate) async fn run(
        self,
        config: &Config,
        terminal: &Terminal,
        log: ProcessLog,
    ) -> anyhow::Result<()> {
        let mut program = Program::of_this()?;
        let role = self.role.unwrap_or(config.processes.role);
        let replay = config.live.replay(self.replay)?;
        if replay.is_some() && !role.answers_people() {
            bail!("a {role} has nobody to replay sessions to; leave --replay and live.replay out");
        }
        let quotes = config.live.quotes.as_ref().filter(|_| role.answers_people());
        if replay.is_some() && quotes.is_some() {
            bail!("sessions are either replayed or told live; leave --replay or live.source out");
        }
        let has_services = config.nightly.is_some() && role != ProcessRole::Scheduler;
        let app = if has_services || quotes.is_some() {
            open_with_services(config).await?
        } else {
            open(config).await?
        };
        // Before anything else is read, which a backup may take the place of.
        let known = app.audit_root(None).await?.unwrap_or_else(AuditRoot::empty);
        // What is due by a schedule is nobody's command.
        let app = app.with_log(log.clone()).with_sentry(config.errors.clone());
        let app = app.with_actor(Actor::System).with_alerts(config.alerts.clone());
        let app = app.with_telemetry(config.telemetry);
        app.check_secrets().await?;
        let app = if config.retraining { app.with_retraining() } else { app };
        let app = match config.edge.redis_link(&app).await? {
            Some(link) => app.with_redis(link),
            None => app,
        };
        let app = app.with_live(config.live.kept);
        // A replay is told by one process alone.
        let app = if replay.is_none() { app.with_shared_live() } else { app };
        let app = match quotes {
            Some(quotes) => quotes::follow(app, quotes, config)?,
            None => app,
        };
        let tls = self.tls_cert.zip(self.tls_key);
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        let (certificates, settings, bind) = if role.answers_people() {
            let certificates = config.edge.certificates(&app).await?;
            let settings = config.edge.settings(&app, tls, certificates.clone()).await?;
            let bind = self.bind.unwrap_or(config.bind);
            check_listening(bind, &settings)?;
            (certificates, settings, bind)
        } else {
            let bind = self.bind.unwrap_or(config.processes.health_bind);
            (None, config.edge.health_settings(&app), bind)
        };
        let settings = ServerSettings { role, ..settings };
        let app = Arc::new(app);
        let listener = TcpListener::bind(bind).await.with_context(|| {
            format!("cannot listen on {bind}; if the port is in use, choose another with --bind")
        })?;
        let listens_at = listener.local_addr()?;
        if bind.port() == 0 {
            program.listen_at(listens_at);
        }
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://{listens_at}");
        let listening = Listening { address: address.clone(), role: role.as_str() };
        terminal.result(&listening, || match role.answers_people() {
            true => format!("serving {address}  (data in {})", config.data_dir.display()),
            false => format!("{role}; how it is: {address}/health/ready"),
        })?;
        if let Some(certificates) = &certificates {
            terminal.say(&told(certificates));
        }
        if role.answers_people() {
            welcome(&app, config, &address, terminal).await?;
        }
        if role != ProcessRole::All && config.bucket.is_none() {
            terminal.say(
                "models lie in the data directory: all processes need the same one, or an object store",
            );
        }
        terminal.say("stop with Ctrl-C");
        let jobs_at_once = config.processes.jobs_at_once;
        let work = background::Work { role, jobs_at_once, certificates, replay };
        let tasks = background::begin(&app, work);
        let shipping = background::Shipping::begin(&app, role);
        let keeper = Arc::clone(&app);
        let keeping = tokio::spawn(async move { keeper.keep_errors().await });
        let (ending, counting) = (Arc::clone(&app), Arc::clone(&app));
        let stopping = StopSignal::listen();
        let stopped = stopping.clone();
        let stop = async move {
            tokio::select! {
                () = stopped.came() => {}
                () = ending.until_replaced(known) => {
                    tracing::warn!("a backup was restored, and this process begins anew");
                }
            }
            // Others go on with them while what was begun here is answered.
            ending.stop_jobs();
        };
        bist_server::serve(app, settings, listener, stop).await.context("serving")?;
        drop(tasks);
        // After the last answer. A database that does not take it takes nothing else along.
        let counted = counting.flush_telemetry().await;
        // What went wrong to the end is kept too.
        log.errors.close();
        if tokio::time::timeout(KEEPING_TIME_MAX, keeping).await.is_err() {
            tracing::warn!("errors were still waiting to be kept and are given up");
        }
        if let Some(shipping) = shipping {
            shipping.end().await;
        }
        if let Some(traces) = log.traces {
            blocking(move || traces.end()).await;
        }
        counting.telemetry().flush();
        if !stopping.has_come() {
            if let Err(error) = counted {
                // It may have been about somebody who is not there any more.
                tracing::warn!(%error, "what was counted last is not written down: {error}");
            }
            terminal.say("begins anew, for a backup was restored");
            return Err(program.begin_anew());
        }
        counted.context("writing down what was counted last")?;
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

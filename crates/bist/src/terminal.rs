//! What the user sees: results on standard output, progress and messages on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bist_app::progress::{Progress, ProgressSink};
use bist_app::telemetry::ProcessLog;
use bist_app::telemetry::errors::{ErrorLayer, ErrorQueue, is_wanted, tell_panics};
use bist_app::telemetry::log_format::WithRequest;
use bist_app::telemetry::request_log::{LineForm, REQUESTS_TARGET, RequestLog};
use bist_app::telemetry::traces::{TRACES_TARGET, Traces};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::commands::SystemClock;
use crate::config::Config;

/// Where output goes, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    json: bool,
    quiet: bool,
}

impl Terminal {
    pub(crate) const fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Prints the result: `document` as JSON when that was asked for, otherwise `text`.
    pub(crate) fn result(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, document)?;
            writeln!(out)?;
        } else if !self.quiet {
            writeln!(out, "{}", text().trim_end())?;
        }
        out.flush()?;
        Ok(())
    }

    /// A message for the user that is not the result.
    pub(crate) fn say(&self, message: &str) {
        if !self.quiet {
            eprint_line(message);
        }
    }

    /// The one sentence that says what failed: the error and its causes, each once.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let mut sentence = String::from("bist");
        for cause in error.chain().map(ToString::to_string) {
            if !sentence.contains(&cause) {
                sentence.push_str(": ");
                sentence.push_str(&cause);
            }
        }
        eprint_line(&sentence);
    }

    /// Shows progress: a bar on a terminal, a line a stage elsewhere, nothing when quiet.
    pub(crate) fn progress(&self) -> Arc<ProgressSink> {
        if self.quiet {
            return Arc::new(|_| {});
        }
        let shown = Mutex::new(Shown::new());
        let interactive = io::stderr().is_terminal();
        Arc::new(move |progress: Progress<'_>| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.update(progress, interactive);
        })
    }
}

/// The stage on display.
struct Shown {
    stage: String,
    part: String,
    /// Drawn on a terminal only; elsewhere it tells how long the rest will take.
    bar: Option<ProgressBar>,
}

impl Shown {
    const fn new() -> Self {
        Self { stage: String::new(), part: String::new(), bar: None }
    }

    fn update(&mut self, progress: Progress<'_>, interactive: bool) {
        let finished = progress.done >= progress.total;
        // A stage that was told as finished may come again, of something else.
        if self.stage != progress.stage || (self.bar.is_none() && !finished) {
            self.close(interactive);
            progress.stage.clone_into(&mut self.stage);
            self.part.clear();
            let target = if interactive {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            };
            let bar = ProgressBar::with_draw_target(Some(progress.total), target);
            bar.set_style(style());
            bar.set_message(self.stage.clone());
            self.bar = Some(bar);
            if !interactive && !finished {
                eprint_line(&format!("{} ...", progress.stage));
            }
        }
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
        }
        if self.part != progress.part {
            progress.part.clone_into(&mut self.part);
            self.tell_part(progress, interactive);
        }
        if finished {
            self.close(interactive);
            if !interactive {
                eprint_line(&format!(
                    "{}: {} of {}",
                    progress.stage, progress.done, progress.total
                ));
            }
        }
    }

    /// Says which part of the stage begins, and how long the rest of the stage may take.
    fn tell_part(&self, progress: Progress<'_>, interactive: bool) {
        let Some(bar) = self.bar.as_ref().filter(|_| !progress.part.is_empty()) else {
            return;
        };
        if interactive {
            bar.set_message(format!("{}: {}", progress.stage, progress.part));
            return;
        }
        let percent = 100 * progress.done / progress.total.max(1);
        let rest = match (progress.done, bar.eta().as_secs()) {
            (0, _) => String::new(),
            (_, seconds) => format!(", about {} left", HumanDuration(Duration::from_secs(seconds))),
        };
        eprint_line(&format!("{}: {} ({percent} %{rest})", progress.stage, progress.part));
    }

    /// Leaves the bar full, and the cursor on a line of its own.
    fn close(&mut self, interactive: bool) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
            if interactive {
                eprint_line("");
            }
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:44} [{bar:32}] {percent:>3} %  {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// A line on standard error; if nobody reads it any more, that is no reason to fail.
fn eprint_line(text: &str) {
    writeln!(io::stderr().lock(), "{text}").ok();
}

/// Whether `error` only says that the reader of our output went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json =
            cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(io::ErrorKind::BrokenPipe)
    })
}

/// Sends the log to standard error: text for people on a terminal, JSON otherwise. A server tells of
/// its requests and its jobs; the other commands show their progress instead. Of a server, errors are
/// put into what is returned besides, whatever the log shows, and panics are logged as errors.
///
/// Spans go to a collector by tasks of `runtime`, where the configuration names one.
pub(crate) fn start_logging(
    config: &Config,
    terminal: &Terminal,
    is_server: bool,
    runtime: &Handle,
) -> anyhow::Result<ProcessLog> {
    let default = match (terminal.quiet, is_server) {
        (true, true) => "error",
        (false, true) => {
            "warn,bist_server=info,bist_app::jobs=info,bist_app::audit=info,bist_app::certificates=info"
        }
        (true, false) => "error,bist_app::jobs=off",
        (false, false) => "warn,bist_app::jobs=off",
    };
    let filter = EnvFilter::try_new(config.log.as_deref().unwrap_or(default))
        .unwrap_or_else(|_| EnvFilter::new(default));
    // Spans for a collector are no part of the log, however much of it is shown.
    let filter = filter.add_directive(format!("{TRACES_TARGET}=off").parse()?);
    let shown = fmt::layer().with_writer(io::stderr);
    let is_terminal = io::stderr().is_terminal();
    let shown = if is_terminal {
        shown.event_format(WithRequest::text(fmt::format().with_ansi(true))).boxed()
    } else {
        shown.json().map_event_format(WithRequest::json).boxed()
    };
    let logging = tracing_subscriber::registry().with(shown.with_filter(filter));
    if !is_server {
        logging.init();
        return Ok(ProcessLog::default());
    }
    let traces = config.traces.as_ref();
    let traces = traces.map(|settings| Traces::begin(settings, runtime.clone())).transpose()?;
    let errors = ErrorQueue::default();
    let wanted = filter_fn(is_wanted).with_max_level_hint(LevelFilter::INFO);
    let taken = ErrorLayer::new(errors.clone(), Arc::new(SystemClock));
    let logging = logging.with(taken.with_filter(wanted));
    // A layer that is none would count as one that wants to hear of everything.
    match &traces {
        Some(traces) => logging.with(traces.layer()).init(),
        None => logging.init(),
    }
    tell_panics();
    let form = if is_terminal { LineForm::Text } else { LineForm::Json };
    let are_requests_shown = tracing::enabled!(target: REQUESTS_TARGET, Level::INFO);
    let requests = are_requests_shown.then(|| Arc::new(RequestLog::new(form, io::stderr())));
    Ok(ProcessLog { errors, requests, traces })
}

/// Makes a write beyond the file size limit an error that we can report, not a signal that kills.
///
/// Installing any handler for SIGXFSZ has that effect, and it stays for the life of the process.
#[cfg(unix)]
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    /// SIGXFSZ on every Unix that Rust's standard library supports (POSIX leaves the number open;
    /// Linux, macOS and the BSDs agree on 25, except MIPS and PA-RISC).
    const SIGXFSZ: i32 = 25;
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ)).map(drop)
}

/// Other systems have no such signal.
#[cfg(not(unix))]
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn told_to_stop() {
    let interrupt = async {
        tokio::signal::ctrl_c().await.ok();
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return interrupt.await };
        tokio::select! {
            () = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    interrupt.await;
}

/// That this process was told to stop, which is heard from now on and not forgotten.
#[derive(Clone, Debug)]
pub(crate) struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// Begins to listen.
    pub(crate) fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            told_to_stop().await;
            tell.send_replace(true);
        });
        Self(told)
    }

    /// Resolves when it comes.
    pub(crate) async fn came(mut self) {
        // Nobody tells any more only when the process ends.
        drop(self.0.wait_for(|came| *came).await);
    }

    /// Whether it came.
    pub(crate) fn has_come(&self) -> bool {
        *self.0.borrow()
    }
}

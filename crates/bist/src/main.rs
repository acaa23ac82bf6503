//! `bist`: market data of Borsa İstanbul in, checked bars, forecasts and honest signals out.
//!
//! The binary reads the configuration, opens the data directory and calls the use cases of
//! `bist-app`; it holds no logic of its own. Exit status: 0 done, 1 refused or failed with a reason
//! on standard error, 2 wrong usage.

mod commands;
mod config;
mod process;
mod terminal;

use std::process::ExitCode;

use bist_app::release;
use clap::Parser;
use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

use crate::commands::Command;
use crate::config::{CommonArgs, Config};
use crate::terminal::Terminal;

/// Turns Borsa İstanbul market data into checked bars, forecasts, and signals that say what they
/// are worth.
#[derive(Debug, Parser)]
#[command(
    name = "bist",
    version = release::version(),
    max_term_width = 100,
    propagate_version = true
)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

/// Gives memory back to whoever asks next instead of to the system, which would clear it again; and
/// clears it, so that passwords and keys that a request brought are nowhere once it was answered.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

fn main() -> ExitCode {
    process::keep_memory_private();
    let cli = Cli::parse();
    let terminal = Terminal::new(cli.common.json, cli.common.quiet);
    match run(cli, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if terminal::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, terminal: &Terminal) -> anyhow::Result<()> {
    let config = Config::load(&cli.common)?;
    let is_server = matches!(cli.command, Command::Serve(_));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = terminal::start_logging(&config, terminal, is_server, runtime.handle())?;
    let result = runtime.block_on(async {
        terminal::survive_file_size_limit()?;
        // The server finishes what was begun before it stops, and a benchmark keeps nothing.
        let stops_here = !matches!(cli.command, Command::Serve(_) | Command::Bench(_));
        tokio::select! {
            result = cli.command.run(&config, terminal, log) => result,
            () = terminal::told_to_stop(), if stops_here => Err(anyhow::anyhow!(INTERRUPTED)),
        }
    });
    // Nobody waits for what is still being computed.
    runtime.shutdown_background();
    result
}

/// What holds whenever a command is cut off: it stores everything or nothing at a time.
const INTERRUPTED: &str =
    "interrupted: what was told as done is stored, all else is as it was before";

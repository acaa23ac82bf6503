//! The source of prices of this moment that a server follows.

use std::sync::Arc;

use anyhow::Context;
use bist_app::App;
use bist_app::live::LiveQuotes;
use bist_app::secrets::StoredCredential;
use bist_feeds::{
    AlgoLab, AlgoLabSettings, Credential, LiveSource, PollingSettings, PollingSource, SystemWaits,
    Waits,
};
use bist_market::Source;
use jiff::SignedDuration;

use crate::commands::secrets::session_name;
use crate::config::Config;
use crate::config::live::QuotesConfig;

/// The same application with the source that `quotes` names.
pub(super) fn follow(app: App, quotes: &QuotesConfig, config: &Config) -> anyhow::Result<App> {
    let waits: Arc<dyn Waits> = Arc::new(SystemWaits::start());
    let (source, session): (Arc<dyn LiveSource>, _) = match quotes.source {
        Source::ALGOLAB => {
            let session = session(config)?;
            let settings = AlgoLabSettings {
                source: config.sources[&Source::ALGOLAB].clone(),
                session: session.credential.clone(),
                silence_max: quotes.silence_max,
            };
            (Arc::new(AlgoLab::new(&settings, waits, app.clock())?), Some(session))
        }
        polled => {
            let provider = app.provider(polled)?;
            let settings =
                PollingSettings { every: quotes.poll_every, delay_max: quotes.stale_after };
            (Arc::new(PollingSource::new(provider, settings, waits, app.clock())), None)
        }
    };
    let stale_after = SignedDuration::try_from(quotes.stale_after).context("live.stale_s")?;
    let symbols = quotes.symbols.clone();
    Ok(app.with_live_quotes(LiveQuotes { source, session, symbols, stale_after }))
}

/// The session that somebody has signed in to, or will.
fn session(config: &Config) -> anyhow::Result<StoredCredential> {
    let name = session_name(config)?;
    Ok(StoredCredential { name, credential: Credential::default() })
}

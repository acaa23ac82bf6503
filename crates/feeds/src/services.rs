//! The services that are asked over the network, all behind the same trait.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_market::{Clock, Source};

use crate::bulletin::BulletinProvider;
use crate::evds::Evds;
use crate::fetch_error::FetchError;
use crate::http::{SystemWaits, Waits};
use crate::isyatirim::IsYatirimProvider;
use crate::kap::{Kap, KapStrategy};
use crate::provider::Provider;
use crate::settings::SourceSettings;
use crate::yahoo::Yahoo;

/// The services, by name.
pub const SERVICES: [Source; 6] = [
    Source::ALGOLAB,
    Source::BULLETIN,
    Source::EVDS,
    Source::ISYATIRIM,
    Source::KAP,
    Source::YAHOO,
];

/// A provider for each service that `settings` has and that gives something to store; nothing is sent
/// yet.
///
/// # Errors
///
/// [`FetchError::NotOffered`] when no HTTP client can be made of the settings.
pub fn providers(
    settings: &BTreeMap<Source, SourceSettings>,
    kap: KapStrategy,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Arc<dyn Provider>>, FetchError> {
    let waits: Arc<dyn Waits> = Arc::new(SystemWaits::start());
    let mut providers: Vec<Arc<dyn Provider>> = Vec::with_capacity(settings.len());
    for (source, settings) in settings {
        let waits = Arc::clone(&waits);
        match *source {
            Source::BULLETIN => providers.push(Arc::new(BulletinProvider::new(settings, waits)?)),
            Source::EVDS => providers.push(Arc::new(Evds::new(settings, waits)?)),
            Source::ISYATIRIM => providers.push(Arc::new(IsYatirimProvider::new(settings, waits)?)),
            Source::KAP => providers.push(Arc::new(Kap::new(settings, kap, waits)?)),
            Source::YAHOO => {
                providers.push(Arc::new(Yahoo::new(settings, waits, Arc::clone(clock))?));
            }
            _ => {}
        }
    }
    Ok(providers)
}

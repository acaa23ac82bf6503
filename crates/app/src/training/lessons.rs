//! The bars that parts of a run learn from: admitted once for all parts that this process does.

use std::sync::{Arc, Mutex, PoisonError};

use bist_models::{FeatureSpec, Horizon};
use jiff::Timestamp;

use super::{Admitted, TrainingError};
use crate::App;
use crate::progress::ProgressSink;

/// What of the bars a part learns from.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LessonBars {
    /// Fingerprint of the bars.
    pub(crate) snapshot_hash: String,
    /// When they were admitted.
    pub(crate) admitted_at: Timestamp,
}

/// Admitted bars with a panel for a horizon and its windows.
#[derive(Clone)]
pub(crate) struct PanelPlace {
    pub(crate) admitted: Arc<Admitted>,
    /// Which of the panels.
    pub(crate) index: usize,
}

/// What this process learns from at the moment.
#[derive(Debug, Default)]
pub(crate) struct KnownLessons(Mutex<Vec<Known>>);

struct Known {
    snapshot_hash: String,
    asked: (Horizon, FeatureSpec),
    place: PanelPlace,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("asked", &self.asked).finish_non_exhaustive()
    }
}

impl App {
    /// Lets the parts of a run that this process does learn from bars that are admitted already.
    pub(crate) fn know_lesson(&self, asked: (Horizon, FeatureSpec), place: PanelPlace) {
        let snapshot_hash = place.admitted.snapshot_hash.clone();
        let mut known = self.known_lessons.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|known| known.asked != asked);
        known.push(Known { snapshot_hash, asked, place });
    }

    /// Whether this process knows bars that parts learn from.
    pub(crate) fn knows_lessons(&self) -> bool {
        !self.known_lessons.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Forgets them, unless this process does something for which they may be asked again.
    pub(crate) fn forget_lessons(&self) {
        if self.held_jobs.all().is_empty() {
            self.known_lessons.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.known_objective.clear();
        }
    }

    /// The panel for `asked` of the bars that a run has admitted: of those that there are now, or, if
    /// others have come since, of those that there were then.
    ///
    /// # Errors
    ///
    /// [`TrainingError::OtherBars`] when they are there no more, and those of admitting.
    pub(crate) async fn lesson(
        &self,
        bars: &LessonBars,
        asked: (Horizon, FeatureSpec),
        progress: &ProgressSink,
    ) -> Result<PanelPlace, TrainingError> {
        let is_it =
            |known: &&Known| known.snapshot_hash == bars.snapshot_hash && known.asked == asked;
        let known = {
            let known = self.known_lessons.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.iter().find(is_it).map(|known| known.place.clone())
        };
        if let Some(place) = known {
            return Ok(place);
        }
        let mut admitted = self.admit(None, &[asked], progress).await?;
        if admitted.snapshot_hash != bars.snapshot_hash
            && let Some(snapshot) = self.store.snapshot(&bars.snapshot_hash).await?
        {
            admitted = self.admit_again(&snapshot, bars.admitted_at, &[asked], progress).await?;
        }
        if admitted.snapshot_hash != bars.snapshot_hash {
            return Err(TrainingError::OtherBars);
        }
        let place = PanelPlace { admitted: Arc::new(admitted), index: 0 };
        self.know_lesson(asked, place.clone());
        Ok(place)
    }
}

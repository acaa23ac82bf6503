//! Studies as their readers see them, while workers go on with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_lifecycle::study::plots::{Importances, importances};
use bist_lifecycle::study::{History, StudyId, StudyOverview, StudyRecord};
use bist_store::{DatabaseStudies, StoreError};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::{App, blocking};

/// The trials that were read before, by study: the next reader asks for what changed since.
#[derive(Debug, Default)]
pub(crate) struct KnownTrials(Mutex<BTreeMap<StudyId, Arc<History>>>);

/// The importances that were told last, by study and objective: they cost more than everything else
/// that is told of a study.
#[derive(Debug, Default)]
pub(crate) struct KnownImportances(Mutex<BTreeMap<(StudyId, usize), Told>>);

/// Importances, with the number of trials that had finished when they were told.
#[derive(Debug)]
struct Told {
    finished_count: usize,
    importances: Arc<Importances>,
}

/// A study with its trials as they are known at one moment.
#[derive(Clone, Debug)]
pub struct StudyWithTrials {
    /// The study.
    pub record: StudyRecord,
    /// The study in short.
    pub overview: StudyOverview,
    /// Its trials, and the best of them.
    pub history: Arc<History>,
}

impl App {
    /// All studies of the database, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn studies(&self) -> Result<Vec<StudyWithTrials>, StoreError> {
        let records = self.store.studies().await?;
        let mut known = self.known_trials.0.lock().await;
        known.retain(|id, _| records.iter().any(|record| record.id == *id));
        let mut studies = Vec::with_capacity(records.len());
        for record in records.into_iter().rev() {
            studies.push(self.with_trials(&mut known, record).await?);
        }
        Ok(studies)
    }

    /// The study of that name, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn study(&self, name: &str) -> Result<Option<StudyWithTrials>, StoreError> {
        let Some(record) = self.store.find_study(name).await? else { return Ok(None) };
        let mut known = self.known_trials.0.lock().await;
        self.with_trials(&mut known, record).await.map(Some)
    }

    /// How much each parameter of `study` mattered for one of its objectives; told anew only when a
    /// trial has finished since.
    pub async fn importances(&self, study: &StudyWithTrials, objective: usize) -> Arc<Importances> {
        let key = (study.record.id, objective);
        let finished_count = study.history.finished_count();
        let mut known = self.known_importances.0.lock().await;
        if let Some(told) = known.get(&key)
            && told.finished_count == finished_count
        {
            return Arc::clone(&told.importances);
        }
        let history = Arc::clone(&study.history);
        let told = blocking(move || Arc::new(importances(history.trials(), objective))).await;
        known.insert(key, Told { finished_count, importances: Arc::clone(&told) });
        told
    }

    async fn with_trials(
        &self,
        known: &mut BTreeMap<StudyId, Arc<History>>,
        record: StudyRecord,
    ) -> Result<StudyWithTrials, StoreError> {
        let mut history =
            known.remove(&record.id).unwrap_or_else(|| Arc::new(History::new(&record)));
        let storage = DatabaseStudies::new(self.store.clone(), Handle::current());
        // Whoever still reads the trials as they were keeps them.
        let history =
            blocking(move || Arc::make_mut(&mut history).refresh(&storage).map(|()| history))
                .await
                .map_err(StoreError::Study)?;
        known.insert(record.id, Arc::clone(&history));
        let overview = StudyOverview::of(&record, &history, self.now());
        Ok(StudyWithTrials { record, overview, history })
    }
}

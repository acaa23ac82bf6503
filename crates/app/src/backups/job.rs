//! Backups by the calendar: one each night, and once a week one of them is tried out.

use std::path::Path;
use std::sync::Arc;

use bist_market::bar::istanbul;
use bist_store::{ClaimedJob, JobRun, StoreError, Unpacked, unpack, unpack_log};
use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday, time};

use super::{BackupError, BackupIdentities, BackupManifest, BackupsError, CopiedBackups};
use crate::jobs::StageDone;
use crate::progress::ProgressSink;
use crate::{App, due};

/// Local time of the backup, each day.
const MADE: Time = time(2, 0, 0, 0);

/// Local time and day of the drill.
const TRIED: Time = time(5, 0, 0, 0);
const TRIED_ON: Weekday = Weekday::Sunday;

/// The stages of the jobs.
const CREATE: &str = "create";
const COPY: &str = "copy";
const REMOVE: &str = "remove-old";
const DRILL: &str = "restore";

/// The first backup after `now`.
pub(crate) fn next_due(now: Timestamp) -> Option<Timestamp> {
    due::next(now, made_at)
}

/// The first drill after `now`.
pub(crate) fn next_drill(now: Timestamp) -> Option<Timestamp> {
    due::next(now, tried_at)
}

fn made_at(day: Date) -> Option<Timestamp> {
    istanbul().to_timestamp(day.to_datetime(MADE)).ok()
}

fn tried_at(day: Date) -> Option<Timestamp> {
    let is_day = day.weekday() == TRIED_ON;
    istanbul().to_timestamp(day.to_datetime(TRIED)).ok().filter(|_| is_day)
}

impl App {
    /// Whether a backup is made each night.
    pub(crate) fn makes_backups(&self) -> bool {
        self.backups.recipients.is_some()
    }

    /// Whether a backup is tried out each week.
    pub(crate) fn tries_backups(&self) -> bool {
        self.makes_backups() && self.backups.identity.is_some()
    }

    /// When the newest backup that is due was.
    pub(crate) fn backup_due(&self) -> Option<Timestamp> {
        due::last(self.now(), made_at).map(|(_, at)| at).filter(|_| self.makes_backups())
    }

    /// When the newest drill that is due was; none is before there is a backup.
    pub(crate) async fn drill_due(&self) -> Option<Timestamp> {
        if !self.tries_backups() {
            return None;
        }
        let folder = self.backup_folder();
        // A folder that cannot be read is what the drill will tell.
        let has_one =
            crate::blocking(move || folder.list()).await.map_or(true, |all| !all.is_empty());
        due::last(self.now(), tried_at).map(|(_, at)| at).filter(|_| has_one)
    }

    /// Does the run `run` of the backup.
    pub(crate) async fn do_backup(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let stages = [CREATE, COPY, REMOVE].map(str::to_owned).to_vec();
        let attended = self.attend(run, stages, progress).await?;
        let work = async {
            let create = |_| async move {
                let (backup, manifest) = self.create_backup().await?;
                let rows_count = manifest.rows_count();
                let mut told =
                    format!("{}, {rows_count} rows, {} bytes", backup.name, backup.size_bytes);
                if !manifest.missing_artifacts.is_empty() {
                    let missing = manifest.missing_artifacts.join(", ");
                    told += &format!("; without the artefacts of {missing}, which are nowhere");
                }
                Ok::<_, BackupsError>(StageDone { result: backup.name, told })
            };
            let name = attended.stage::<String, _, _>(CREATE, create).await?;
            let copy = |_| async move {
                let done = self.copy_backups().await?;
                let told = match &self.backup_copies {
                    None => "no bucket is configured for copies".to_owned(),
                    Some(_) => {
                        let (copied, removed) = (done.copied.len(), done.removed.len());
                        format!("copied: {copied}, copies removed: {removed}")
                    }
                };
                Ok::<_, BackupError>(StageDone { result: done, told })
            };
            attended.stage::<CopiedBackups, _, _>(COPY, copy).await?;
            let remove = |_| async move {
                let removed = self.remove_old_backups().await?;
                let told = match removed.as_slice() {
                    [] => "none is older than what is kept".to_owned(),
                    names => names.join(", "),
                };
                Ok::<_, BackupsError>(StageDone { result: removed, told })
            };
            attended.stage::<Vec<String>, _, _>(REMOVE, remove).await?;
            Ok(format!("made {name}"))
        };
        let outcome = attended.watch(work).await;
        attended.finish(outcome).await
    }

    /// Does the run `run` of the drill.
    pub(crate) async fn do_drill(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let attended = self.attend(run, vec![DRILL.to_owned()], progress).await?;
        let work = async {
            let drill = |_| async move {
                let folder = self.backup_folder();
                let newest = crate::blocking(move || folder.list()).await?.into_iter().next();
                let newest =
                    newest.ok_or_else(|| BackupError::NoSuchBackup("the newest one".to_owned()))?;
                let path = self.backup_folder().file_of(&newest.name)?;
                let identities = self.backup_identities().await?;
                let manifest = self.try_backup(&path, &identities).await?;
                let mut told = told_of(&newest.name, &manifest);
                let folder = self.backup_folder();
                if let Some(log) = crate::blocking(move || folder.logs()).await?.first() {
                    let manifest = self.try_log(&log.name, &identities).await?;
                    told += &format!("; of the log {}", told_of(&log.name, &manifest));
                }
                Ok::<_, BackupsError>(StageDone { result: newest.name, told })
            };
            attended.stage::<String, _, _>(DRILL, drill).await
        };
        let outcome = attended.watch(work).await.map(|name| format!("{name} can be restored"));
        attended.finish(outcome).await
    }

    /// Restores the archive `archive` into a folder of its own that is gone afterwards, and looks whether
    /// it could serve: the rows, the audit, the secrets, and every model.
    ///
    /// # Errors
    ///
    /// [`BackupsError`] when it could not.
    pub async fn try_backup(
        &self,
        archive: &Path,
        identities: &BackupIdentities,
    ) -> Result<BackupManifest, BackupsError> {
        let folder = self.backup_folder();
        let name = archive.file_name().unwrap_or(archive.as_os_str()).to_string_lossy();
        let unpacked = unpack(archive, identities, folder.path()).await?;
        self.look_whether_it_serves(&name, &unpacked).await?;
        let (name, now) = (name.into_owned(), self.now());
        crate::blocking(move || folder.note(&name, |note| note.verified_at = Some(now))).await?;
        Ok(unpacked.manifest().clone())
    }

    /// The same of the generation `name` of the shipped log, up to its newest piece.
    ///
    /// # Errors
    ///
    /// As [`Self::try_backup`].
    pub async fn try_log(
        &self,
        name: &str,
        identities: &BackupIdentities,
    ) -> Result<BackupManifest, BackupsError> {
        let (folder, end) = (self.backup_folder(), Timestamp::MAX);
        let unpacked = unpack_log(&folder, name, end, identities, folder.path()).await?;
        let unpacked = unpacked.ok_or_else(|| BackupError::NoSuchBackup(name.to_owned()))?;
        self.look_whether_it_serves(name, &unpacked).await?;
        let (name, now) = (name.to_owned(), self.now());
        let note = move || folder.note_log(&name, |note| note.verified_at = Some(now));
        crate::blocking(note).await?;
        Ok(unpacked.manifest().clone())
    }

    /// Looks whether what was taken apart could serve.
    async fn look_whether_it_serves(
        &self,
        name: &str,
        unpacked: &Unpacked,
    ) -> Result<(), BackupsError> {
        // The key that is in force opens what is restored.
        self.master_key().await?;
        let known = Arc::clone(&self.master_key);
        let restored = Self::open(unpacked.directory(), self.clock(), self.policy()).await?;
        let restored = Self { master_key: known, ..restored };
        let looked = async {
            let verification = restored.verify_audit(&[]).await?;
            if let Some(broken) = verification.broken {
                let (backup, problem) = (name.to_owned(), broken.to_string());
                return Err(BackupsError::AuditBroken { backup, problem });
            }
            restored.check_secrets().await?;
            for version in restored.store.model_versions().await? {
                if unpacked.manifest().missing_artifacts.contains(&version.id) {
                    continue;
                }
                restored.fitted_model(&version).await.map_err(|error| BackupsError::Model {
                    backup: name.to_owned(),
                    error: error.to_string(),
                })?;
            }
            Ok(())
        };
        let looked = looked.await;
        restored.close().await;
        looked
    }
}

/// What a drill found in the backup or log `name`.
fn told_of(name: &str, manifest: &BackupManifest) -> String {
    format!(
        "{name} was restored beside: {} rows and {} models are right, and so is the audit",
        manifest.rows_count(),
        manifest.artifacts_count()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: &str, backup: &str, drill: &str) {
        let now = now.parse().unwrap();
        assert_eq!(next_due(now).unwrap().to_string(), backup, "backup after {now}");
        assert_eq!(next_drill(now).unwrap().to_string(), drill, "drill after {now}");
    }

    #[test]
    fn a_backup_is_at_two_each_night_and_a_drill_on_sundays() {
        // A Saturday, a second before and at two in Istanbul.
        check("2026-11-27T22:59:59Z", "2026-11-27T23:00:00Z", "2026-11-29T02:00:00Z");
        check("2026-11-27T23:00:00Z", "2026-11-28T23:00:00Z", "2026-11-29T02:00:00Z");
        check("2026-11-29T02:00:00Z", "2026-11-29T23:00:00Z", "2026-12-06T02:00:00Z");
    }
}

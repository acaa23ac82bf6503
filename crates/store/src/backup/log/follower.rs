//! Following the log: looking every some seconds, and shipping what was written since.

use std::path::PathBuf;
use std::sync::Arc;

use bist_market::Clock;
use jiff::SignedDuration;
use tokio::task::JoinHandle;

use super::frames::Fault;
use super::generation::{self, Following};
use crate::artifacts::on_disk;
use crate::backup::error::BackupError;
use crate::backup::folder::BackupFolder;
use crate::backup::keys::BackupRecipients;
use crate::backup::work::{Purpose, Work};
use crate::pool::Store;

/// A log that is larger is folded into the database, as SQLite does by itself after so many bytes when
/// nobody follows.
pub const LOG_FOLDED_ABOVE_BYTES: u64 = 4 << 20;

/// After so long a new generation begins, so that no restore goes through more segments than that.
const GENERATION_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What a log is shipped with.
#[derive(Clone, Debug)]
pub struct LogPlan {
    /// Where to.
    pub folder: BackupFolder,
    /// For whom it is encrypted.
    pub recipients: BackupRecipients,
    /// The configuration file, if there is one.
    pub configuration: Option<PathBuf>,
    /// The size above which the log is folded, bytes.
    pub folded_above_bytes: u64,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticked {
    /// A generation began.
    Begun,
    /// A segment was written.
    Shipped,
    /// Nothing was written since.
    Nothing,
}

/// Who follows the log of a database of SQLite, in one process at a time.
#[derive(Debug)]
pub struct LogFollower {
    shared: Arc<Shared>,
    following: Option<Following>,
    /// The generation that will follow, while its base is written.
    next: Option<JoinHandle<Result<Following, BackupError>>>,
}

/// What all generations of a follower share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) plan: LogPlan,
    pub(super) clock: Arc<dyn Clock>,
    /// The file of the database, and of its log.
    pub(super) database: PathBuf,
    pub(super) wal: PathBuf,
    pub(super) work: Work,
}

impl Store {
    /// Follows the log of the database by `plan`. Nothing is read before the first look.
    ///
    /// # Errors
    ///
    /// [`BackupError::LogOfServer`] of PostgreSQL, and [`BackupError::Busy`] while another process ships
    /// to that folder.
    pub async fn follow_log(
        &self,
        plan: LogPlan,
        clock: Arc<dyn Clock>,
    ) -> Result<LogFollower, BackupError> {
        let database = self.reader.file().ok_or(BackupError::LogOfServer)?.to_owned();
        let mut wal = database.clone().into_os_string();
        wal.push("-wal");
        let folder = plan.folder.logs_folder();
        let work = on_disk(move || Work::begin_now(&folder, Purpose::Making)).await?;
        let store = self.clone();
        let shared = Shared { store, plan, clock, database, wal: wal.into(), work };
        Ok(LogFollower { shared: Arc::new(shared), following: None, next: None })
    }
}

impl LogFollower {
    /// Looks what was written, and ships it: what was acknowledged before this is called is in the folder
    /// when it returns. One that is given up has to be followed from a new generation.
    ///
    /// # Errors
    ///
    /// [`BackupError`] when something cannot be read, or a piece cannot be written; what was read is
    /// shipped by the next look.
    pub async fn tick(&mut self) -> Result<Ticked, BackupError> {
        let Some(mut following) = self.following.take() else {
            return self.begin().await;
        };
        let ticked = match following.ship(&self.shared).await {
            Ok(ticked) => ticked,
            Err(Fault::Gap(reason)) => {
                tracing::warn!(
                    log = following.name(),
                    "the log could not be followed, and is shipped from a new base: {reason}"
                );
                following.close().await;
                return self.begin().await;
            }
            Err(Fault::Failed(error)) => {
                self.following = Some(following);
                return Err(error);
            }
        };
        let is_old = self.shared.clock.now().duration_since(following.begun_at) >= GENERATION_FOR;
        self.following = Some(following);
        if self.next.is_none() && is_old {
            // Its base takes a while on a large database, in which nothing is to be lost.
            self.next = Some(tokio::spawn(generation::begin(Arc::clone(&self.shared))));
        }
        let Some(next) = self.next.take_if(|next| next.is_finished()) else { return Ok(ticked) };
        match next.await {
            Ok(begun) => self.go_on_with(begun?).await,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Follows no more. The next one begins a generation.
    pub async fn close(mut self) {
        if let Some(next) = self.next.take() {
            next.abort();
        }
        if let Some(following) = self.following.take() {
            following.close().await;
        }
    }

    async fn begin(&mut self) -> Result<Ticked, BackupError> {
        let begun = match self.next.take() {
            Some(next) => match next.await {
                Ok(begun) => begun?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            None => generation::begin(Arc::clone(&self.shared)).await?,
        };
        self.go_on_with(begun).await
    }

    /// Follows `begun` from now on, and removes what is too old.
    async fn go_on_with(&mut self, begun: Following) -> Result<Ticked, BackupError> {
        if let Some(before) = self.following.replace(begun) {
            before.close().await;
        }
        let (folder, now) = (self.shared.plan.folder.clone(), self.shared.clock.now());
        for name in on_disk(move || folder.remove_old_logs(now)).await? {
            tracing::info!(log = name, "removed the shipped log {name}, which is too old");
        }
        Ok(Ticked::Begun)
    }
}

//! Shipping the write-ahead log of SQLite: what was written since the last backup is kept too.
//!
//! A generation begins with a base, which is the database page by page as it was at one moment, with all
//! that a backup has besides. Segments follow: the pages that changed, and the artefacts that came. Each
//! is an archive as a backup is, and names the SHA-256 of the one before it. They lie in `log/` of the
//! folder of backups (docs/adr/0050-shipped-log.md).
//!
//! # Why no frame is missed
//!
//! A log of SQLite grows by frames, a page each. Folding (a checkpoint) writes its pages to the database;
//! when all are there and nobody reads the log any more, the next writer begins the log anew over the old
//! frames, with a first salt that is one more. So frames are lost for whoever follows only when the log
//! begins anew after frames that were not read.
//!
//! One connection reads all the time (the pin). The wal-index notes for it the last frame that it may
//! see, its mark:
//!
//! - A mark above 0: nobody folds frames behind it, and nobody begins the log anew while it stands.
//! - The mark 0, which says that the reader looks at the database alone, because all of the log was folded
//!   when it began: nobody folds anything while it stands. The log may begin anew once, after the frames
//!   that were there then; as what comes next is not folded, it cannot a second time.
//!
//! The pin is moved, and the rest of the log folded in between, only while a second connection holds the
//! lock of writers and after every frame up to the end was read. So the frames that follow a position are
//! those behind it in the same log, or the first of a log whose first salt is one more. Whatever else is
//! found, as after another program that truncates the log, is a gap: a new generation begins.
//!
//! The copy of a base is made of a file that others fold frames into. As the pin stands at the moment that
//! it shows, those are frames of before that moment, and the copy has them laid over it.
//!
//! Nothing is asked of frames alone: the head of the wal-index tells what is committed, and the checksum
//! that runs through all of it.

mod base;
mod chain;
mod folder;
mod follower;
mod frames;
mod generation;
mod moment;
mod restore;
mod spool;

pub(super) use self::folder::{LOGS, expired, generation_in};
pub use self::folder::{LogGeneration, LogNote, VerifiedLog, generation_moment};
pub use self::follower::{LOG_FOLDED_ABOVE_BYTES, LogFollower, LogPlan, Ticked};
pub use self::moment::{ShownMoment, unpack_moment};
pub use self::restore::unpack_log;

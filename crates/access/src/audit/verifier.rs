//! Going over the chain, record by record, and saying where it is broken first.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::{AuditAction, AuditHead, AuditKey, AuditRecord, AuditRoot, NO_MAC, personal_mac};

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditProblem {
    /// The record is not there.
    Missing,
    /// The record stands where another should.
    OutOfPlace,
    /// The record is not the one that was written there.
    Changed,
    /// The personal part is not the one that was written there.
    PersonalChanged,
    /// The personal part is gone, and nobody was forgotten.
    PersonalGone,
    /// The record stands behind the end of the chain.
    BehindTheEnd,
    /// A root that was kept elsewhere says that another record stood there.
    OtherThanKept,
    /// Which record is the last one is not told any more.
    HeadMissing,
    /// Which record is the last one was changed.
    HeadChanged,
}

/// Where a chain is broken, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The place of the first record that is not what it should be; `None` when it is the end of the
    /// chain that cannot be told.
    pub seq: Option<u64>,
    /// What is wrong there.
    pub problem: AuditProblem,
}

/// What came of going over a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerification {
    /// How many records there are.
    pub records_count: u64,
    /// How many of them had a personal part that was erased.
    pub erased_count: u64,
    /// When the first and the last one say that they were written.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The last record that there is.
    pub root: AuditRoot,
    /// How many roots that were kept elsewhere were looked for.
    pub kept_roots_count: u64,
    /// Where it is broken first; `None` when it is whole.
    pub broken: Option<AuditBreak>,
}

/// Goes over the records of a chain in their order; after the first break it counts only.
#[derive(Clone, Debug)]
pub struct AuditVerifier<'a> {
    key: &'a AuditKey,
    kept_roots: &'a [AuditRoot],
    /// Of each account, the first record whose personal part is gone, until a record says why.
    gone: BTreeMap<String, u64>,
    so_far: AuditVerification,
    /// What the next record must follow, as it is stored.
    last: AuditRoot,
}

impl<'a> AuditVerifier<'a> {
    /// Begins before the first record; `kept_roots` were kept elsewhere and must be in the chain.
    pub fn new(key: &'a AuditKey, kept_roots: &'a [AuditRoot]) -> Self {
        let so_far = AuditVerification {
            records_count: 0,
            erased_count: 0,
            span: None,
            root: AuditRoot::empty(),
            kept_roots_count: kept_roots.len() as u64,
            broken: None,
        };
        Self { key, kept_roots, gone: BTreeMap::new(), so_far, last: AuditRoot::empty() }
    }

    /// Looks at the next record.
    pub fn look_at(&mut self, record: &AuditRecord) {
        if self.so_far.broken.is_none() {
            self.check(record);
        }
        let first = self.so_far.span.map_or(record.at, |(first, _)| first);
        self.so_far.span = Some((first, record.at));
        self.so_far.records_count += 1;
        self.last = record.into();
    }

    /// Looks at the end of the chain, and says what came of it all.
    pub fn finish(mut self, head: Option<&AuditHead>) -> AuditVerification {
        let (last, after) = (self.last.seq, self.last.seq + 1);
        match head {
            None => self.broken(None, AuditProblem::HeadMissing),
            Some(head) if !head.is_sound(self.key) => self.broken(None, AuditProblem::HeadChanged),
            Some(head) if head.records_count > last => self.broken(after, AuditProblem::Missing),
            Some(head) if head.records_count < last => {
                self.broken(head.records_count + 1, AuditProblem::BehindTheEnd);
            }
            Some(head) if head.last_mac != self.last.mac => {
                self.broken(last, AuditProblem::Changed);
            }
            Some(_) => {}
        }
        if self.kept_roots.iter().any(|kept| kept.seq > last) {
            self.broken(after, AuditProblem::Missing);
        }
        if self.kept_roots.iter().any(|kept| kept.seq == 0 && kept.mac != NO_MAC) {
            self.broken(None, AuditProblem::OtherThanKept);
        }
        // While records are missing, the one that says why may be among them.
        if let Some(first) = self.gone.values().min().copied() {
            self.broken(first, AuditProblem::PersonalGone);
        }
        self.so_far.root = self.last;
        self.so_far
    }

    /// Compares a record with what must stand in its place.
    fn check(&mut self, record: &AuditRecord) {
        let expected = self.last.seq + 1;
        if record.seq > expected {
            return self.broken(expected, AuditProblem::Missing);
        }
        if record.seq < expected {
            return self.broken(record.seq, AuditProblem::OutOfPlace);
        }
        if record.mac != record.mac_after(self.key, &self.last.mac) {
            return self.broken(record.seq, AuditProblem::Changed);
        }
        if self.kept_roots.iter().any(|kept| kept.seq == record.seq && kept.mac != record.mac) {
            return self.broken(record.seq, AuditProblem::OtherThanKept);
        }
        let AuditRecord { seq, about, personal, salt, personal_mac: written, .. } = record;
        match (personal, salt) {
            (None, None) if written.is_some() => {
                self.so_far.erased_count += 1;
                self.gone.entry(about.clone().unwrap_or_default()).or_insert(*seq);
            }
            (None, None) => {}
            (Some(personal), Some(salt))
                if *written == Some(personal_mac(self.key, salt, personal)) => {}
            _ => return self.broken(*seq, AuditProblem::PersonalChanged),
        }
        if record.action == AuditAction::UserErased.as_str() {
            // What is written in the same breath may be gone as well.
            if let Some(account) = record.subject.strip_prefix("user:") {
                self.gone.remove(account);
            }
        }
    }

    /// Notes a break, unless there was one before it.
    fn broken(&mut self, seq: impl Into<Option<u64>>, problem: AuditProblem) {
        let seq = seq.into();
        self.so_far.broken.get_or_insert(AuditBreak { seq, problem });
    }
}

impl fmt::Display for AuditProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it is missing",
            Self::OutOfPlace => "it stands where another should",
            Self::Changed => "it is not what was written there",
            Self::PersonalChanged => "its personal part is not what was written there",
            Self::PersonalGone => "its personal part is gone, and nobody was forgotten",
            Self::BehindTheEnd => "it stands behind the end of the chain, which was set back",
            Self::OtherThanKept => "a root that was kept elsewhere says that another stood there",
            Self::HeadMissing => "the end of the chain is not told any more",
            Self::HeadChanged => "the end of the chain was changed",
        })
    }
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "record {seq}: {}", self.problem),
            None => write!(f, "{}", self.problem),
        }
    }
}

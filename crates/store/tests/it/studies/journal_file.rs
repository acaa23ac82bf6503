//! Journals: the file itself.

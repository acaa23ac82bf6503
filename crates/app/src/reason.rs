//! Why a person did something: kept beside what was done.

/// Longest reason that is kept, characters.
const REASON_CHARS_MAX: usize = 500;

/// A text that is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// A decision without a reason says nothing to whoever reads it later.
    #[error("a decision needs a reason; give one with --reason")]
    Missing,
    /// It is too long.
    #[error("the reason has {0} characters; keep it below {REASON_CHARS_MAX}")]
    TooLong(usize),
    /// It would steer the terminal of whoever reads it.
    #[error("the reason has control characters, such as the end of a line; give plain text")]
    Control,
}

/// `text` as a reason, without the blanks around it.
///
/// # Errors
///
/// [`ReasonError`] when it is empty or long.
pub(crate) fn checked_reason(text: &str) -> Result<&str, ReasonError> {
    let reason = text.trim();
    match reason.chars().count() {
        0 => Err(ReasonError::Missing),
        length if length > REASON_CHARS_MAX => Err(ReasonError::TooLong(length)),
        _ if reason.contains(char::is_control) => Err(ReasonError::Control),
        _ => Ok(reason),
    }
}

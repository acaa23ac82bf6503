//! Why a stream ends: the code with which a WebSocket is closed, and the last envelope elsewhere.

use axum::extract::ws::CloseFrame;
use bist_app::live::Gap;

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The server stops or starts again.
    Restart,
    /// The client sent bytes where texts are read.
    Binary,
    /// The client sent something that is no request.
    Malformed,
    /// The client sent more than is read.
    TooLarge,
    /// The session or the key is not in force any more, or may do less than it did.
    NotSignedIn,
    /// The client is so far behind that events were lost to it, or does not read what is sent.
    TooSlow,
    /// The client did not answer a ping.
    Silent,
    /// The client sent too many requests.
    TooMany,
    /// The server failed.
    Failed,
}

impl Closing {
    /// The code of RFC 6455, or one of ours from 4000 on; and why in a few words.
    pub(super) const fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::Restart => (1012, "the server stops; come back with your position"),
            Self::Binary => (1003, "only texts are read"),
            Self::Malformed => (1007, "this is no request; see the envelope before"),
            Self::TooLarge => (1009, "the message is too large"),
            Self::Failed => (1011, "the server failed; come back with your position"),
            Self::NotSignedIn => (4001, "the session or the key is not in force any more"),
            Self::TooSlow => (4008, "too slow; come back with your position"),
            Self::Silent => (4010, "a ping was not answered; come back with your position"),
            Self::TooMany => (4029, "too many requests; come back with your position"),
        }
    }

    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = self.code_and_reason();
        CloseFrame { code, reason: reason.into() }
    }
}

impl From<Gap> for Closing {
    fn from(_: Gap) -> Self {
        Self::TooSlow
    }
}

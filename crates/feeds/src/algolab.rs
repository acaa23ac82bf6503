//! The live prices of `AlgoLab`, the service of a broker for programs: a WebSocket that tells each trade.
//!
//! Whoever uses it has a contract with the broker. A person signs in in two steps, the second with a
//! code that comes to their telephone ([`SignIn`]); the session that this gives lasts about a day and is
//! what the WebSocket is opened with.

mod frame;
mod keys;
mod sign_in;
mod stream;

pub use keys::{AlgoLabKeys, KeysError};
pub use sign_in::{SignIn, Token};
pub use stream::{AlgoLab, AlgoLabSettings};

//! Whether who listens may go on.

use std::net::IpAddr;

use bist_access::{AccountState, Secret, TokenKind};

use crate::App;
use crate::access::{AccessError, Caller, Means};

/// What somebody showed when they began to listen.
#[derive(Clone, Debug)]
pub enum Shown {
    /// The token of a session.
    Session(Secret),
    /// An API key, from this address.
    Key(Secret, Option<IpAddr>),
}

impl App {
    /// Who listens by what was `shown`; `None` when the session or the key is not in force any more.
    ///
    /// To listen is not to do something: an open page does not keep a session from running out.
    ///
    /// # Errors
    ///
    /// [`AccessError`] when the database or the secrets fail.
    pub async fn listening_caller(&self, shown: &Shown) -> Result<Option<Caller>, AccessError> {
        let token = match shown {
            Shown::Key(key, address) => {
                return self.caller_with_key(key.expose(), *address, self.now()).await;
            }
            Shown::Session(token) => token,
        };
        let digest = self.token_key().await?.digest(TokenKind::Session, token.expose());
        let Some((session, account, as_of)) = self.session_of(&digest).await? else {
            return Ok(None);
        };
        let is_over =
            account.state != AccountState::Active || session.is_over(&account, self.now());
        Ok((!is_over).then_some(Caller { account, means: Means::Session(session), as_of }))
    }
}

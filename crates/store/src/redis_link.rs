//! Redis as this process uses it: where it is, a connection, a budget for each answer, and a breaker.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bist_access::Secret;
use bist_market::breaker::BreakerState;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult,
};

use crate::outside_part::{NotAsked, OutsidePart};

/// How long an answer is waited for where somebody waits for it too.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_millis(100);

/// How long an answer is waited for that nobody waits for.
pub(crate) const BACKGROUND_TIME_MAX: Duration = Duration::from_secs(2);

/// How long a new connection may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);

/// How long it is left alone after a failure: each costs a request its budget.
const LEFT_ALONE_FOR: Duration = Duration::from_secs(1);

/// Where a Redis is; without a password.
#[derive(Clone)]
pub struct RedisAddress(ConnectionInfo);

/// A text that is no address of a Redis. It is not repeated, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisAddressError {
    /// It is none.
    #[error(
        "it is no address of a Redis; give one such as redis://127.0.0.1:6379/0, or rediss:// for TLS"
    )]
    Form,
    /// It has a password.
    #[error(
        "it has a password, which is no setting; leave it out here, and name its file or secret as redis_password"
    )]
    Password,
    /// Certificates would not be checked.
    #[error("it asks for TLS without checking certificates; leave '#insecure' out")]
    Insecure,
}

impl FromStr for RedisAddress {
    type Err = RedisAddressError;

    fn from_str(text: &str) -> Result<Self, RedisAddressError> {
        if !["redis://", "rediss://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(RedisAddressError::Form);
        }
        let info = text.into_connection_info().map_err(|_| RedisAddressError::Form)?;
        if info.redis_settings().password().is_some() {
            return Err(RedisAddressError::Password);
        }
        match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => Err(RedisAddressError::Insecure),
            ConnectionAddr::Tcp(..) | ConnectionAddr::TcpTls { .. } => Ok(Self(info)),
            ConnectionAddr::Unix(_) | _ => Err(RedisAddressError::Form),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({})", self.0.addr())
    }
}

/// Why Redis was not asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// It failed a moment ago and is left alone.
    #[error("it failed a moment ago and is left alone: {0}")]
    LeftAlone(String),
    /// No answer came in time.
    #[error("no answer within {} ms", .0.as_millis())]
    Slow(Duration),
    /// Redis, or the way to it, failed.
    #[error(transparent)]
    Failed(#[from] redis::RedisError),
    /// What is kept there is nothing of ours.
    #[error("what is kept there is nothing of ours: {0}")]
    Foreign(String),
}

impl From<NotAsked<redis::RedisError>> for RedisError {
    fn from(error: NotAsked<redis::RedisError>) -> Self {
        match error {
            NotAsked::LeftAlone(alone) => Self::LeftAlone(alone.last),
            NotAsked::Slow(budget) => Self::Slow(budget),
            NotAsked::Failed(error) => Self::Failed(error),
        }
    }
}

/// The way to a Redis. Cloning is cheap and shares connections and breaker.
#[derive(Clone)]
pub struct RedisLink {
    client: Client,
    connection: ConnectionManager,
    part: OutsidePart,
}

impl RedisLink {
    /// A link that connects when it is first used, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// [`RedisError::Failed`] when no client can be made; nothing is asked of the network yet.
    pub fn new(address: &RedisAddress, password: Option<&Secret>) -> Result<Self, RedisError> {
        let mut settings = address.0.redis_settings().clone();
        if let Some(password) = password {
            settings = settings.set_password(password.expose());
        }
        let client = Client::open(address.0.clone().set_redis_settings(settings))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME_MAX))
            .set_response_timeout(Some(BACKGROUND_TIME_MAX))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        Ok(Self { client, connection, part: OutsidePart::new(1, LEFT_ALONE_FOR) })
    }

    /// Whether it is being asked.
    pub fn state(&self) -> BreakerState {
        self.part.state()
    }

    /// Asks whether it answers, within the budget of a request.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when it does not.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let ping = redis::cmd("PING");
        let ask = move |mut connection: ConnectionManager| async move {
            ping.query_async::<String>(&mut connection).await
        };
        self.ask(ANSWER_TIME_MAX, ask).await.map(drop)
    }

    /// Asks something, unless it is left alone.
    pub(crate) async fn ask<T, Asking: Future<Output = RedisResult<T>>>(
        &self,
        budget: Duration,
        request: impl FnOnce(ConnectionManager) -> Asking,
    ) -> Result<T, RedisError> {
        Ok(self.part.ask(budget, request(self.connection.clone())).await?)
    }

    /// A connection of its own for requests that wait there for up to `wait`.
    pub(crate) async fn waiting_connection(
        &self,
        wait: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME_MAX))
            .set_response_timeout(Some(wait + BACKGROUND_TIME_MAX));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        Ok(self.part.ask(CONNECT_TIME_MAX + BACKGROUND_TIME_MAX, connecting).await?)
    }

    /// Notes what came of a request of such a connection.
    pub(crate) fn note<T>(&self, answer: RedisResult<T>) -> Result<T, RedisError> {
        self.part.note(answer.as_ref().err());
        Ok(answer?)
    }
}

impl fmt::Debug for RedisLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLink").field("state", &self.state()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, RedisAddressError>) {
        let address = text.parse::<RedisAddress>();
        let expected = expected.map(|address| format!("RedisAddress({address})"));
        assert_eq!(address.map(|address| format!("{address:?}")), expected, "{text}");
    }

    #[test]
    fn an_address_has_no_password_and_asks_for_no_blind_trust() {
        check("redis://127.0.0.1", Ok("127.0.0.1:6379"));
        check("redis://bist@cache.example:6380/2", Ok("cache.example:6380"));
        check("rediss://cache.example:6380", Ok("cache.example:6380"));
        check("redis://:hunter2@127.0.0.1", Err(RedisAddressError::Password));
        check("redis://bist:hunter2@127.0.0.1", Err(RedisAddressError::Password));
        check("rediss://cache.example/#insecure", Err(RedisAddressError::Insecure));
        for text in ["", "127.0.0.1:6379", "http://cache.example", "redis://", "unix:///run/redis"]
        {
            check(text, Err(RedisAddressError::Form));
        }
    }
}

//! One count of requests for several servers, in Redis.
//!
//! The script is the rule of [`bist_access::rate_limit`] in the language that Redis runs atomically,
//! by its own clock, so that servers whose clocks differ count as one.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bist_access::{Class, Decision, Quota, Secret};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Script};

/// How long an answer is waited for; whoever asks has somebody waiting too.
const ANSWER_TIME_MAX: Duration = Duration::from_millis(100);

/// How long a new connection may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);

/// What the keys begin with.
const PREFIX: &str = "bist:limit";

/// The instant of the request, microseconds.
const CLOCK: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
";

/// Decides about a request at `now`. `ARGV`: what a request costs and what all of the quota do,
/// microseconds. Gives whether it is allowed, and when everything is paid for. A number of Lua is exact
/// up to 2^53, which microseconds reach in the year 2255.
const GCRA: &str = "
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
full_at = math.min(math.max(full_at, now), now + burst)
local allowed = 0
if full_at + interval - now <= burst then
  allowed = 1
  full_at = full_at + interval
  local lifetime_ms = math.ceil((full_at - now) / 1000)
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', lifetime_ms)
end
return {allowed, full_at - now}
";

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

/// Why the shared count was not asked.
#[derive(Debug, thiserror::Error)]
pub enum SharedLimiterError {
    /// No answer came in time.
    #[error("no answer within {} ms", ANSWER_TIME_MAX.as_millis())]
    Slow,
    /// Redis, or the way to it, failed.
    #[error(transparent)]
    Redis(#[from] redis::RedisError),
}

/// Counts requests together with every other server that uses the same Redis.
#[derive(Clone)]
pub struct SharedLimiter {
    connection: ConnectionManager,
    script: Script,
}

impl SharedLimiter {
    /// A limiter that connects when it is first asked, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// [`SharedLimiterError::Redis`] when no client can be made; nothing is asked of the network yet.
    pub fn new(
        address: &RedisAddress,
        password: Option<&Secret>,
    ) -> Result<Self, SharedLimiterError> {
        let mut settings = address.0.redis_settings().clone();
        if let Some(password) = password {
            settings = settings.set_password(password.expose());
        }
        let client = Client::open(address.0.clone().set_redis_settings(settings))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME_MAX))
            .set_response_timeout(Some(ANSWER_TIME_MAX))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client, config)?;
        Ok(Self { connection, script: Script::new(&[CLOCK, GCRA].concat()) })
    }

    /// Counts a request of `key` in `class`, if `quota` allows it.
    ///
    /// # Errors
    ///
    /// [`SharedLimiterError`] when Redis does not answer at once.
    pub async fn check(
        &self,
        class: Class,
        key: &str,
        quota: Quota,
    ) -> Result<Decision, SharedLimiterError> {
        let mut invocation = self.script.key(format!("{PREFIX}:{class}:{key}"));
        invocation.arg(quota.interval_us()).arg(quota.burst_us());
        let mut connection = self.connection.clone();
        let answer = invocation.invoke_async(&mut connection);
        let answer = tokio::time::timeout(ANSWER_TIME_MAX, answer).await;
        let (allowed, full_after_us): (u8, u64) =
            answer.map_err(|_| SharedLimiterError::Slow)??;
        Ok(quota.decision(allowed == 1, full_after_us))
    }
}

impl fmt::Debug for SharedLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimiter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bist_testkit::redis_server::RedisServer;

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

    /// The script by a clock of the test.
    const GIVEN_CLOCK: &str = "local now = tonumber(ARGV[3])";

    #[tokio::test]
    async fn decisions_of_the_script_are_those_of_the_leaky_bucket() {
        let Some(server) = RedisServer::start() else { return };
        let client = Client::open(server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let script = Script::new(&[GIVEN_CLOCK, GCRA].concat());
        let (mut quota, mut key): (Quota, _) = ("1/s".parse().unwrap(), "");
        let vectors = include_str!("../../testkit/golden/gcra.txt");
        for line in vectors.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if let Some(text) = line.strip_prefix("quota ") {
                (quota, key) = (text.parse().unwrap(), text);
                continue;
            }
            let numbers: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
            let mut invocation = script.key(key);
            invocation.arg(quota.interval_us()).arg(quota.burst_us()).arg(numbers[0]);
            let (allowed, full_after_us): (u8, u64) =
                invocation.invoke_async(&mut connection).await.unwrap();
            let decision = quota.decision(allowed == 1, full_after_us);
            let told = [
                u64::from(decision.allowed),
                u64::from(decision.remaining),
                decision.next_after_us,
                decision.full_after_us,
            ];
            assert_eq!(told, numbers[1..], "{key}: {line}");
        }
    }

    #[tokio::test]
    async fn a_count_is_kept_no_longer_than_it_matters_and_needs_the_password() {
        let Some(server) = RedisServer::start() else { return };
        let client = Client::open(server.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let limiter = SharedLimiter::new(&server.url().parse().unwrap(), None).unwrap();
        let quota = "5/15min".parse().unwrap();
        limiter.check(Class::Auth, "address:192.0.2.1", quota).await.unwrap();
        let key = "bist:limit:auth:address:192.0.2.1";
        let left_ms: u64 = redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!((1..=180_000).contains(&left_ms), "{left_ms}");

        let set = ["SET", "requirepass", "hunter2"];
        let _: () = redis::cmd("CONFIG").arg(&set).query_async(&mut connection).await.unwrap();
        let address = server.url().parse().unwrap();
        let ask = async |password: Option<&str>| {
            let password = password.map(Secret::new);
            let limiter = SharedLimiter::new(&address, password.as_ref()).unwrap();
            limiter.check(Class::Auth, "a", quota).await
        };
        assert!(ask(Some("hunter2")).await.unwrap().allowed);
        let refused = [ask(None).await.unwrap_err(), ask(Some("wrong")).await.unwrap_err()];
        assert!(!format!("{refused:?}").contains("wrong"), "{refused:?}");
    }
}

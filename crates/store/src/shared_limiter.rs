//! One count of requests for several servers, in Redis.
//!
//! The script is the rule of [`bist_access::rate_limit`] in the language that Redis runs atomically,
//! by its own clock, so that servers whose clocks differ count as one.

use std::fmt;

use bist_access::{Class, Decision, Quota};
use redis::Script;
use redis::aio::ConnectionManager;

use crate::redis_link::{ANSWER_TIME_MAX, RedisError, RedisLink};

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

/// Counts requests together with every other server that uses the same Redis.
#[derive(Clone)]
pub struct SharedLimiter {
    link: RedisLink,
    script: Script,
}

impl SharedLimiter {
    /// A limiter that counts there.
    pub fn new(link: RedisLink) -> Self {
        Self { link, script: Script::new(&[CLOCK, GCRA].concat()) }
    }

    /// Counts a request of `key` in `class`, if `quota` allows it.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer at once, or has failed a moment ago.
    pub async fn check(
        &self,
        class: Class,
        key: &str,
        quota: Quota,
    ) -> Result<Decision, RedisError> {
        let mut invocation = self.script.key(format!("{PREFIX}:{class}:{key}"));
        invocation.arg(quota.interval_us()).arg(quota.burst_us());
        let ask = move |mut connection: ConnectionManager| async move {
            invocation.invoke_async(&mut connection).await
        };
        let (allowed, full_after_us): (u8, u64) = self.link.ask(ANSWER_TIME_MAX, ask).await?;
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

    use bist_access::Secret;
    use redis::Client;

    use super::*;

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
        let link = RedisLink::new(&server.url().parse().unwrap(), None).unwrap();
        let limiter = SharedLimiter::new(link);
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
            let limiter = SharedLimiter::new(RedisLink::new(&address, password.as_ref()).unwrap());
            limiter.check(Class::Auth, "a", quota).await
        };
        assert!(ask(Some("hunter2")).await.unwrap().allowed);
        let refused = [ask(None).await.unwrap_err(), ask(Some("wrong")).await.unwrap_err()];
        assert!(!format!("{refused:?}").contains("wrong"), "{refused:?}");
    }
}

//! One process of many that does what need not be done by all, by a lease in Redis.
//!
//! It is no lock: who was stopped for longer than the lease may still believe to lead when another one
//! does. What is led by it is safe without: a run is put in once whoever looks, and what is published
//! has to continue from where the stream is.

use std::fmt;
use std::time::Duration;

use rand::Rng as _;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use redis::Script;
use redis::aio::ConnectionManager;

use crate::redis_link::{BACKGROUND_TIME_MAX, RedisError, RedisLink};

/// What the keys begin with.
const PREFIX: &str = "bist:leader";

/// How long one leads without being heard of.
pub const LEADER_LEASE: Duration = Duration::from_secs(5);

/// Takes or renews the lease. `ARGV`: who, and for how many milliseconds.
const LEAD: &str = "
local leader = redis.call('GET', KEYS[1])
if leader == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if leader == false and redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
return 0
";

/// Gives the lease up. `ARGV`: who.
const RESIGN: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 0
";

/// One who would lead. Each value is a candidate of its own.
pub struct Leadership {
    link: RedisLink,
    key: String,
    me: String,
    lead: Script,
    resign: Script,
}

impl Leadership {
    /// A candidate for what is called `what`.
    pub fn new(link: RedisLink, what: &str) -> Self {
        let mut name = [0_u8; 16];
        UnwrapErr(SysRng).fill_bytes(&mut name);
        Self {
            link,
            key: format!("{PREFIX}:{what}"),
            me: u128::from_be_bytes(name).to_string(),
            lead: Script::new(LEAD),
            resign: Script::new(RESIGN),
        }
    }

    /// Whether this leads, for [`LEADER_LEASE`] from now on: because it did, or because nobody does.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not say.
    pub async fn lead(&self) -> Result<bool, RedisError> {
        let mut invocation = self.lead.key(&self.key);
        invocation.arg(&self.me).arg(u64::try_from(LEADER_LEASE.as_millis()).unwrap_or(u64::MAX));
        let ask = move |mut connection: ConnectionManager| async move {
            invocation.invoke_async(&mut connection).await
        };
        let leads: u8 = self.link.ask(BACKGROUND_TIME_MAX, ask).await?;
        Ok(leads == 1)
    }

    /// Leaves it to others, if this leads.
    ///
    /// # Errors
    ///
    /// As [`Self::lead`]; then the lease runs out by itself.
    pub async fn resign(&self) -> Result<(), RedisError> {
        let mut invocation = self.resign.key(&self.key);
        invocation.arg(&self.me);
        let ask = move |mut connection: ConnectionManager| async move {
            invocation.invoke_async(&mut connection).await
        };
        let _: u8 = self.link.ask(BACKGROUND_TIME_MAX, ask).await?;
        Ok(())
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leadership").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bist_testkit::redis_server::RedisServer;
    use redis::Client;

    use super::*;

    #[tokio::test]
    async fn one_leads_until_it_resigns_or_is_not_heard_of() {
        let Some(server) = RedisServer::start() else { return };
        let address = server.url().parse().unwrap();
        let [one, other] =
            [(); 2].map(|()| Leadership::new(RedisLink::new(&address, None).unwrap(), "schedule"));
        assert!(one.lead().await.unwrap());
        assert!(!other.lead().await.unwrap());
        assert!(one.lead().await.unwrap(), "it goes on");
        other.resign().await.unwrap();
        assert!(!other.lead().await.unwrap(), "one gives up one's own only");
        one.resign().await.unwrap();
        assert!(other.lead().await.unwrap());
        // It is stopped for longer than its lease, and another one leads; awake, it learns of that.
        let mut connection = Client::open(server.url()).unwrap().get_connection().unwrap();
        let expired: u8 = redis::cmd("PEXPIRE")
            .arg("bist:leader:schedule")
            .arg(0)
            .query(&mut connection)
            .unwrap();
        assert_eq!(expired, 1);
        assert!(one.lead().await.unwrap());
        assert!(!other.lead().await.unwrap());
    }
}

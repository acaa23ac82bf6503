//! Answers in Redis that were dear to make, so that one process makes them for all.

use bist_lifecycle::forecast::sha256_hex;
use bytes::{Buf as _, Bytes};
use jiff::{SignedDuration, Timestamp};

use crate::redis_link::{ANSWER_TIME_MAX, RedisError, RedisLink};

/// What stands before the name of an answer.
const PREFIX: &str = "bist:answer:";

/// Answers that several processes share.
#[derive(Clone, Debug)]
pub struct SharedAnswers(RedisLink);

impl SharedAnswers {
    /// Those in the Redis of `link`.
    pub fn new(link: RedisLink) -> Self {
        Self(link)
    }

    /// The answer to what `asked` names, if there is one, and when it was made.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not say, or what it has is nothing of ours.
    pub async fn get(&self, asked: &str) -> Result<Option<(Bytes, Timestamp)>, RedisError> {
        let mut get = redis::cmd("GET");
        get.arg(name(asked));
        let asking = |mut connection| async move {
            get.query_async::<Option<Vec<u8>>>(&mut connection).await
        };
        let Some(kept) = self.0.ask(ANSWER_TIME_MAX, asking).await? else { return Ok(None) };
        let mut body = Bytes::from(kept);
        let made_at = body.try_get_i64().ok().and_then(|at| Timestamp::from_microsecond(at).ok());
        let foreign = || RedisError::Foreign("an answer does not say when it was made".to_owned());
        Ok(Some((body, made_at.ok_or_else(foreign)?)))
    }

    /// Keeps `body`, made `made_at`, as the answer to `asked` for as long as it `lasts`.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not take it.
    pub async fn put(
        &self,
        asked: &str,
        body: &[u8],
        made_at: Timestamp,
        lasts: SignedDuration,
    ) -> Result<(), RedisError> {
        let mut set = redis::cmd("SET");
        let kept = [&made_at.as_microsecond().to_be_bytes(), body].concat();
        set.arg(name(asked)).arg(kept).arg("PX").arg(lasts.as_millis().max(1).to_string());
        let asking = |mut connection| async move { set.query_async::<()>(&mut connection).await };
        self.0.ask(ANSWER_TIME_MAX, asking).await
    }
}

fn name(asked: &str) -> String {
    format!("{PREFIX}{}", sha256_hex(asked.as_bytes()))
}

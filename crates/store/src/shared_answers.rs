//! Answers in Redis that were dear to make, so that one process makes them for all.

use bist_lifecycle::forecast::sha256_hex;
use bytes::Bytes;
use jiff::SignedDuration;

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

    /// The answer to what `asked` names, if there is one.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not say.
    pub async fn get(&self, asked: &str) -> Result<Option<Bytes>, RedisError> {
        let mut get = redis::cmd("GET");
        get.arg(name(asked));
        let asking = |mut connection| async move {
            get.query_async::<Option<Vec<u8>>>(&mut connection).await
        };
        Ok(self.0.ask(ANSWER_TIME_MAX, asking).await?.map(Bytes::from))
    }

    /// Keeps `body` as the answer to `asked` for as long as it `lasts`.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not take it.
    pub async fn put(
        &self,
        asked: &str,
        body: &[u8],
        lasts: SignedDuration,
    ) -> Result<(), RedisError> {
        let mut set = redis::cmd("SET");
        set.arg(name(asked)).arg(body).arg("PX").arg(lasts.as_millis().max(1).to_string());
        let asking = |mut connection| async move { set.query_async::<()>(&mut connection).await };
        self.0.ask(ANSWER_TIME_MAX, asking).await
    }
}

fn name(asked: &str) -> String {
    format!("{PREFIX}{}", sha256_hex(asked.as_bytes()))
}

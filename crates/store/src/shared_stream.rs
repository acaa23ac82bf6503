//! The live stream of several servers, in Redis.
//!
//! A life of the stream has a name, its epoch. Its newest events are a stream of Redis whose ids are
//! their numbers, and how everything stands is a hash beside it. Whoever publishes says after which
//! number: when that is not the newest any more, nothing is published. So no two servers give a number
//! to different events, whoever believes to lead.

use std::fmt;
use std::time::Duration;

use redis::Script;
use redis::aio::{ConnectionManager, MultiplexedConnection};

use crate::redis_link::{BACKGROUND_TIME_MAX, RedisError, RedisLink};

/// What names the life that goes on.
const EPOCH: &str = "bist:live:epoch";

/// What the name of the events of a life begins with; its own follows.
const EVENTS: &str = "bist:live:events:";

/// Where servers say that something has changed.
const NUDGES: &str = "bist:live:nudges";

/// How long a request for what comes next waits there.
const WAIT: Duration = Duration::from_secs(1);

/// Events that are read at a time.
const READ_MAX: usize = 1000;

/// The field of an entry that holds the event.
const FIELD: &str = "event";

/// Gives the life that goes on, its events and how everything stands; begins one when there is none, or
/// in place of one. `ARGV`: the name of a new life, and of the one whose place it takes.
const JOIN: &str = "
local epoch = redis.call('GET', KEYS[1])
if epoch == false or epoch == ARGV[2] then
  if epoch then
    redis.call('DEL', 'bist:live:events:' .. epoch, 'bist:live:standing:' .. epoch)
  end
  epoch = ARGV[1]
  redis.call('SET', KEYS[1], epoch)
end
return {
  epoch,
  redis.call('XRANGE', 'bist:live:events:' .. epoch, '-', '+'),
  redis.call('HVALS', 'bist:live:standing:' .. epoch),
}
";

/// Publishes after a number. `ARGV`: the epoch, the number, how many events are kept, how many topics
/// follow that are forgotten, those, and of each event its topic, whether it is gone, and the event.
/// Gives 1; 0 when the life is another one or has come further.
const PUBLISH: &str = "
local epoch, head, kept = ARGV[1], tonumber(ARGV[2]), ARGV[3]
if redis.call('GET', KEYS[1]) ~= epoch then
  return 0
end
local events, standing = 'bist:live:events:' .. epoch, 'bist:live:standing:' .. epoch
local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)
local newest = 0
if last[1] then
  newest = tonumber(string.match(last[1][1], '^(%d+)'))
end
if newest ~= head then
  return 0
end
local first = 5 + tonumber(ARGV[4])
for i = 5, first - 1 do
  redis.call('HDEL', standing, ARGV[i])
end
for i = first, #ARGV, 3 do
  head = head + 1
  local id = string.format('%.0f-0', head)
  redis.call('XADD', events, 'MAXLEN', '~', kept, id, 'event', ARGV[i + 2])
  if ARGV[i + 1] == '1' then
    redis.call('HDEL', standing, ARGV[i])
  else
    redis.call('HSET', standing, ARGV[i], ARGV[i + 2])
  end
end
return 1
";

/// What Redis gives of a stream: the number of each entry, and its fields.
type Entries = Vec<(String, Vec<String>)>;

/// A life of the stream as Redis has it.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its name.
    pub epoch: String,
    /// The newest events, oldest first, each with its number.
    pub events: Vec<(u64, String)>,
    /// The newest event of each topic.
    pub standing: Vec<String>,
}

/// What has happened since a number.
#[derive(Clone, Debug, Default)]
pub struct NextNews {
    /// The events, each with its number.
    pub events: Vec<(u64, String)>,
    /// Whether a server says that something has changed that is not told yet.
    pub is_nudged: bool,
}

/// An event that is to be published.
#[derive(Clone, Debug)]
pub struct ToPublish {
    /// What it is about.
    pub topic: String,
    /// Whether there is no such thing any more.
    pub is_gone: bool,
    /// It.
    pub event: String,
}

/// The way to the stream.
pub struct SharedStream {
    link: RedisLink,
    join: Script,
    publish: Script,
}

/// Somebody who reads what comes next, on a connection of their own.
pub struct StreamReader {
    link: RedisLink,
    connection: MultiplexedConnection,
    nudged_at: String,
}

impl SharedStream {
    /// The stream there.
    pub fn new(link: RedisLink) -> Self {
        Self { link, join: Script::new(JOIN), publish: Script::new(PUBLISH) }
    }

    /// The life that goes on; one called `new_epoch` when there is none, or in place of `replaced`.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer, or what is there is nothing of ours.
    pub async fn join(&self, new_epoch: &str, replaced: Option<&str>) -> Result<Life, RedisError> {
        let mut invocation = self.join.key(EPOCH);
        invocation.arg(new_epoch).arg(replaced.unwrap_or_default());
        let ask = move |mut connection: ConnectionManager| async move {
            invocation.invoke_async(&mut connection).await
        };
        let (epoch, entries, standing): (String, Entries, Vec<String>) =
            self.link.ask(BACKGROUND_TIME_MAX, ask).await?;
        let events = entries.into_iter().map(numbered).collect::<Result<_, _>>()?;
        Ok(Life { epoch, events, standing })
    }

    /// Publishes `events` after the number `head` of the life `epoch`, of which about `kept_max` are
    /// kept, and forgets how `forgotten` stand. Says whether that was done: not when the life is
    /// another one or has come further.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer; then it may have been done.
    pub async fn publish(
        &self,
        (epoch, head): (&str, u64),
        kept_max: usize,
        events: &[ToPublish],
        forgotten: &[String],
    ) -> Result<bool, RedisError> {
        let mut invocation = self.publish.key(EPOCH);
        invocation.arg(epoch).arg(head).arg(kept_max).arg(forgotten.len()).arg(forgotten);
        for event in events {
            invocation.arg(&event.topic).arg(u8::from(event.is_gone)).arg(&event.event);
        }
        let ask = move |mut connection: ConnectionManager| async move {
            invocation.invoke_async(&mut connection).await
        };
        let done: u8 = self.link.ask(BACKGROUND_TIME_MAX, ask).await?;
        Ok(done == 1)
    }

    /// Says that something has changed that is not told yet.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer.
    pub async fn nudge(&self) -> Result<(), RedisError> {
        let mut nudge = redis::cmd("XADD");
        nudge.arg(NUDGES).arg("MAXLEN").arg("~").arg(1).arg("*").arg("at").arg("");
        let ask = move |mut connection: ConnectionManager| async move {
            nudge.query_async::<String>(&mut connection).await
        };
        self.link.ask(BACKGROUND_TIME_MAX, ask).await.map(drop)
    }

    /// Somebody who reads what comes next.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer.
    pub async fn reader(&self) -> Result<StreamReader, RedisError> {
        let mut connection = self.link.waiting_connection(WAIT).await?;
        let mut newest = redis::cmd("XREVRANGE");
        newest.arg(NUDGES).arg("+").arg("-").arg("COUNT").arg(1);
        let newest = newest.query_async(&mut connection).await;
        let newest: Entries = self.link.note(newest)?;
        // A place of its own: "$" would be wherever the stream is when it is read next.
        let nudged_at = newest.into_iter().next().map_or_else(|| "0".to_owned(), |(id, _)| id);
        Ok(StreamReader { link: self.link.clone(), connection, nudged_at })
    }
}

impl StreamReader {
    /// What happens after the number `head` of the life `epoch`, waiting a second for it; `None` when
    /// another life goes on.
    ///
    /// # Errors
    ///
    /// [`RedisError`] when Redis does not answer, or what is there is nothing of ours.
    pub async fn next(&mut self, epoch: &str, head: u64) -> Result<Option<NextNews>, RedisError> {
        let events = format!("{EVENTS}{epoch}");
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT")
            .arg(READ_MAX)
            .arg("BLOCK")
            .arg(u64::try_from(WAIT.as_millis()).unwrap_or(0));
        read.arg("STREAMS").arg(&events).arg(NUDGES).arg(format!("{head}-0")).arg(&self.nudged_at);
        let answer = read.query_async(&mut self.connection).await;
        let answer: Option<Vec<(String, Entries)>> = self.link.note(answer)?;
        let Some(found) = answer else {
            let now = redis::cmd("GET").arg(EPOCH).query_async(&mut self.connection).await;
            let now: Option<String> = self.link.note(now)?;
            return Ok((now.as_deref() == Some(epoch)).then(NextNews::default));
        };
        let (nudges, told): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(stream, _)| stream == NUDGES);
        let is_nudged = !nudges.is_empty();
        if let Some((id, _)) = nudges.into_iter().flat_map(|(_, entries)| entries).next_back() {
            self.nudged_at = id;
        }
        let entries = told.into_iter().flat_map(|(_, entries)| entries);
        let events = entries.map(numbered).collect::<Result<_, _>>()?;
        Ok(Some(NextNews { events, is_nudged }))
    }
}

/// The number and the event of an entry.
fn numbered((id, fields): (String, Vec<String>)) -> Result<(u64, String), RedisError> {
    let number = id.split('-').next().and_then(|number| number.parse().ok());
    let event = match <[String; 2]>::try_from(fields) {
        Ok([field, event]) if field == FIELD => Some(event),
        Ok(_) | Err(_) => None,
    };
    number.zip(event).ok_or_else(|| RedisError::Foreign(format!("the entry {id}")))
}

impl fmt::Debug for SharedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedStream").field("link", &self.link).finish_non_exhaustive()
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader").field("link", &self.link).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bist_testkit::redis_server::RedisServer;

    use super::*;

    fn event(topic: &str, event: &str) -> ToPublish {
        ToPublish { topic: topic.to_owned(), is_gone: event.is_empty(), event: event.to_owned() }
    }

    #[tokio::test]
    async fn a_number_is_given_once_whoever_believes_to_lead() {
        let Some(server) = RedisServer::start() else { return };
        let address = server.url().parse().unwrap();
        let [one, other] =
            [(); 2].map(|()| SharedStream::new(RedisLink::new(&address, None).unwrap()));
        let life = one.join("one", None).await.unwrap();
        assert_eq!((life.epoch.as_str(), life.events.len()), ("one", 0));
        assert_eq!(other.join("other", None).await.unwrap().epoch, "one", "it goes on");
        let mut reader = other.reader().await.unwrap();

        let publish = async |stream: &SharedStream, at, events: &[ToPublish]| {
            stream.publish(at, 10, events, &["c".to_owned()]).await.unwrap()
        };
        let first = [event("a", "a1"), event("b", "b1"), event("c", "c1")];
        assert!(publish(&one, ("one", 0), &first).await);
        // Whoever was stopped and has not heard of that publishes nothing.
        assert!(!publish(&other, ("one", 0), &[event("a", "late")]).await);
        assert!(!publish(&other, ("gone", 3), &[event("a", "late")]).await);
        let news = reader.next("one", 1).await.unwrap().unwrap();
        assert_eq!(news.events, [(2, "b1".to_owned()), (3, "c1".to_owned())]);
        assert!(publish(&other, ("one", 3), &[event("b", ""), event("a", "a2")]).await);
        let life = one.join("another", None).await.unwrap();
        assert_eq!(life.events.iter().map(|event| event.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(life.standing, ["a2"], "what is gone or forgotten stands no more");

        one.nudge().await.unwrap();
        while !reader.next("one", 5).await.unwrap().unwrap().is_nudged {}
        // Another life takes its place, once.
        assert_eq!(one.join("two", Some("one")).await.unwrap().epoch, "two");
        assert_eq!(other.join("three", Some("one")).await.unwrap().epoch, "two");
        assert!(reader.next("one", 5).await.unwrap().is_none(), "it is told");
    }
}

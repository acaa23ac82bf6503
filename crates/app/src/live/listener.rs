//! Somebody who listens: what they want, and how far they have heard.

use std::sync::Arc;

use tokio::sync::watch;

use super::stream::{Gap, News, Snapshot, Stream};
use super::topic::{Position, Wanted};
use super::{Hub, Live};

/// Somebody who listens, through whatever door.
#[derive(Debug)]
pub struct Listener {
    live: Live,
    topics: Vec<Wanted>,
    /// The life of the stream that is listened to.
    epoch: Arc<str>,
    /// The number of the last event that was given out or passed over.
    seq: u64,
    heads: watch::Receiver<u64>,
}

/// How somebody goes on who was cut off.
#[derive(Clone, Debug)]
pub enum Resumed {
    /// After the place they know; [`Listener::news`] tells the rest.
    After(Position),
    /// From how everything stands, because of the gap.
    Anew(Snapshot, Gap),
}

impl Live {
    /// Somebody who listens to nothing yet.
    pub fn listen(&self) -> Listener {
        let Hub { head, listeners_count, .. } = &*self.0;
        listeners_count.send_modify(|count| *count += 1);
        let heads = head.subscribe();
        let (epoch, seq) = {
            let stream = self.read();
            (stream.epoch(), stream.seq())
        };
        Listener { live: self.clone(), topics: Vec::new(), epoch, seq, heads }
    }
}

impl Listener {
    /// What is listened to.
    pub fn topics(&self) -> &[Wanted] {
        &self.topics
    }

    /// How far this has come.
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch.to_string(), seq: self.seq }
    }

    /// Listens to `more` from now on: what was still to be told, and then how all of `more` stands.
    ///
    /// # Errors
    ///
    /// [`Gap`] when this was so far behind that events were lost, or the stream has become another one.
    pub fn subscribe(&mut self, more: &[Wanted]) -> Result<(News, Snapshot), Gap> {
        let (news, snapshot) = {
            let stream = self.live.read();
            if self.topics.is_empty() {
                // Nothing was listened to, so nothing of it is lost.
                (self.epoch, self.seq) = (stream.epoch(), stream.seq());
            }
            (self.after(&stream)?, stream.snapshot(more))
        };
        self.seq = snapshot.head;
        self.add(more);
        Ok((news, snapshot))
    }

    /// Listens to `topics` and no others, from `position` on where that can be.
    pub fn resume(&mut self, position: &Position, topics: &[Wanted]) -> Resumed {
        self.topics.clear();
        self.add(topics);
        let (known, snapshot) = {
            let stream = self.live.read();
            self.epoch = stream.epoch();
            let known = match position.epoch == *self.epoch {
                true => stream.after(position.seq, &[]).map(drop),
                false => Err(Gap::OtherEpoch),
            };
            (known, stream.snapshot(topics))
        };
        match known {
            Ok(()) => {
                self.seq = position.seq;
                Resumed::After(self.position())
            }
            Err(gap) => {
                self.seq = snapshot.head;
                Resumed::Anew(snapshot, gap)
            }
        }
    }

    /// Listens to `topics` no more.
    pub fn unsubscribe(&mut self, topics: &[Wanted]) {
        self.topics.retain(|topic| !topics.contains(topic));
    }

    /// Waits for something that is listened to. Nothing is lost when this is not waited for any more.
    ///
    /// # Errors
    ///
    /// [`Gap`] when this is so far behind that events were lost, or the stream has become another one.
    pub async fn news(&mut self) -> Result<News, Gap> {
        loop {
            self.heads.borrow_and_update();
            let news = self.after(&self.live.read())?;
            self.seq = news.head;
            if !news.events.is_empty() {
                return Ok(news);
            }
            if self.heads.changed().await.is_err() {
                // The stream lives as long as this does.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What has happened since the place of this.
    fn after(&self, stream: &Stream) -> Result<News, Gap> {
        match self.epoch == stream.epoch() {
            true => stream.after(self.seq, &self.topics),
            false => Err(Gap::OtherEpoch),
        }
    }

    fn add(&mut self, more: &[Wanted]) {
        for topic in more {
            if !self.topics.contains(topic) {
                self.topics.push(*topic);
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.live.0.listeners_count.send_modify(|count| *count -= 1);
    }
}

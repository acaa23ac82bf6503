//! Which connections there are, and which one goes when there are too many.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;

use crate::settings::ConnectionLimits;

/// The connections of a server.
#[derive(Clone, Debug)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ConnectionLimits,
    trusted_proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    admitted_count: u64,
    /// By the order in which they came.
    connections: BTreeMap<u64, Arc<Connection>>,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection as seen by the others.
#[derive(Debug, Default)]
struct Connection {
    /// Requests of it that are being answered, and streams that it carries.
    busy_count: AtomicUsize,
    /// Those that were.
    answered_count: AtomicUsize,
    cut: Notify,
}

/// The place of a connection, as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    number: u64,
    address: Option<IpAddr>,
    connection: Arc<Connection>,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Connection>);

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, trusted_proxies: Vec<IpNet>) -> Self {
        Self(Arc::new(Shared { limits, trusted_proxies, open: Mutex::default() }))
    }

    /// Takes a connection in; `None` when its address has too many, or all that there may be are busy.
    ///
    /// When there are as many as may be, the one that has waited the longest without a request is cut:
    /// whoever opens connections and sends nothing keeps nobody out.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Place> {
        let shared = &self.0;
        let address = address.to_canonical();
        // Everybody comes from there.
        let is_proxy = shared.trusted_proxies.iter().any(|proxy| proxy.contains(&address));
        let address = (!is_proxy).then_some(address);
        let mut open = shared.open();
        let of_address = address.and_then(|address| open.by_address.get(&address).copied());
        if of_address.unwrap_or(0) >= shared.limits.connections_per_address_max {
            return None;
        }
        if open.connections.len() >= shared.limits.connections_max {
            open.cut_the_oldest()?;
        }
        open.admitted_count += 1;
        let number = open.admitted_count;
        let connection = Arc::new(Connection::default());
        open.connections.insert(number, Arc::clone(&connection));
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        drop(open);
        Some(Place { shared: Arc::clone(shared), number, address, connection })
    }

    /// Cuts the one that has waited the longest without a request, if there is one.
    pub(crate) fn make_room(&self) {
        self.0.open().cut_the_oldest();
    }
}

impl Open {
    /// Cuts the one that has waited the longest without a request; `None` when all are busy.
    fn cut_the_oldest(&self) -> Option<()> {
        let waits =
            |connection: &&Arc<Connection>| connection.busy_count.load(Ordering::Relaxed) == 0;
        let oldest = self.connections.values().find(waits)?;
        // What was told to go is busy with that, so that each is told once.
        oldest.busy_count.fetch_add(1, Ordering::Relaxed);
        oldest.cut.notify_one();
        Some(())
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Says that a request is being answered, until what is returned is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.connection.busy_count.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.connection))
    }

    /// Whether a request is being answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.connection.busy_count.load(Ordering::Relaxed) > 0
    }

    /// Ends the connection, whatever is still to be sent.
    pub(crate) fn cut_now(&self) {
        self.connection.cut.notify_one();
    }

    /// Waits until nothing was asked for `time_max` since the last answer, or since now; up to a quarter
    /// longer. A timer for each request would be more exact, and cost more than all else that is known
    /// here of a connection.
    pub(crate) async fn silence(&self, time_max: Duration) {
        let (mut answered_count, mut silent_quarters) = (0, 0);
        while silent_quarters < 4 {
            tokio::time::sleep(time_max / 4).await;
            let count = self.connection.answered_count.load(Ordering::Relaxed);
            let is_silent = !self.is_busy() && count == answered_count;
            answered_count = count;
            silent_quarters = if is_silent { silent_quarters + 1 } else { 0 };
        }
    }

    /// Waits until this connection has to end: it makes room for another, or nobody reads what it sends.
    pub(crate) async fn cut(&self) {
        self.connection.cut.notified().await;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.answered_count.fetch_add(1, Ordering::Relaxed);
        self.0.busy_count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shared.open();
        open.connections.remove(&self.number);
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn connections(all: usize, per_address: usize) -> Connections {
        let limits = ConnectionLimits {
            connections_max: all,
            connections_per_address_max: per_address,
            ..ConnectionLimits::default()
        };
        Connections::new(limits, vec!["10.0.0.0/8".parse().unwrap()])
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_a_trusted_proxy_has_no_bound() {
        let connections = connections(100, 2);
        let admit = |text| connections.admit(address(text));
        let (first, _second) = (admit("192.0.2.1").unwrap(), admit("::ffff:192.0.2.1").unwrap());
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        let _many: Vec<Place> = (0..50).map(|_| admit("10.1.2.3").unwrap()).collect();
    }

    #[tokio::test]
    async fn a_connection_is_silent_a_while_after_its_last_answer_and_never_while_it_is_busy() {
        let time_max = Duration::from_millis(20);
        let place = connections(1, 1).admit(address("192.0.2.1")).unwrap();
        let busy = place.busy();
        let silence = tokio::time::timeout(10 * time_max, place.silence(time_max));
        assert!(silence.await.is_err(), "it is busy");
        drop(busy);
        let answered_at = Instant::now();
        place.silence(time_max).await;
        assert!(answered_at.elapsed() >= time_max);
    }

    #[tokio::test]
    async fn the_one_that_waits_the_longest_makes_room_and_no_busy_one_does() {
        let connections = connections(3, 100);
        let admit = || connections.admit(address("192.0.2.1"));
        let places = [admit().unwrap(), admit().unwrap(), admit().unwrap()];
        let busy = places[0].busy();
        let fourth = admit().unwrap();
        places[1].cut().await;
        let _all = [places[2].busy(), fourth.busy()];
        assert!(admit().is_none(), "all are busy");
        drop(busy);
        assert!(admit().is_some());
        places[0].cut().await;
    }
}

//! How often who may ask, counted here or together with other servers.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bist_access::{Class, Decision, Quota, RateLimiter};
use bist_market::Clock;
use bist_store::SharedLimiter;

/// How often each class of requests may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Forecasts, signals and explanations.
    pub ai: Quota,
    /// Whatever tries a password, a code or an invitation.
    pub auth: Quota,
    /// Orders, and changes of portfolios.
    pub trading: Quota,
    /// Everything else of the API.
    pub default: Quota,
    /// How many times as much all callers behind one address may ask together.
    pub address_multiple: u32,
}

impl Quotas {
    /// The quota of `class`.
    pub fn of(&self, class: Class) -> Quota {
        match class {
            Class::Ai => self.ai,
            Class::Auth => self.auth,
            Class::Trading => self.trading,
            Class::Default => self.default,
        }
    }

    /// The quota of all callers behind one address. Whoever tries passwords has no other name, so that
    /// there it is that of the class.
    pub fn of_address(&self, class: Class) -> Quota {
        match class {
            Class::Auth => self.auth,
            Class::Ai | Class::Trading | Class::Default => {
                self.of(class).times(self.address_multiple)
            }
        }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        let quota = |requests, period_s| {
            Quota::new(requests, period_s).expect("the quotas of the product are quotas")
        };
        Self {
            ai: quota(20, 60),
            auth: quota(5, 15 * 60),
            trading: quota(10, 60),
            default: quota(100, 60),
            address_multiple: 10,
        }
    }
}

/// Counts the requests of everybody, and says who has to wait.
///
/// With a shared count it is asked first. While that is away the count of this process takes over at
/// once; in the class `auth` both count always and either may refuse, so that losing the shared one
/// opens nothing.
#[derive(Debug)]
pub struct RateLimits {
    quotas: Quotas,
    clock: Arc<dyn Clock>,
    here: RateLimiter,
    shared: Option<Shared>,
    /// Requests that were let through and refused, by class.
    decided: [[AtomicU64; 2]; Class::ALL.len()],
}

/// A shared count, and whether it is away. How long it is left alone then decides the way to it.
#[derive(Debug)]
struct Shared {
    limiter: SharedLimiter,
    is_away: AtomicBool,
}

impl RateLimits {
    /// Limits that this process counts alone.
    pub fn new(quotas: Quotas, clock: Arc<dyn Clock>) -> Self {
        let (here, decided) = (RateLimiter::default(), Default::default());
        Self { quotas, clock, here, shared: None, decided }
    }

    /// The same, counted together with every server that uses the same Redis.
    #[must_use]
    pub fn with_shared(self, limiter: SharedLimiter) -> Self {
        Self { shared: Some(Shared { limiter, is_away: AtomicBool::new(false) }), ..self }
    }

    /// The quotas that hold.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// Counts a request of a caller, such as `account:u0123456789abcdef`, if their quota allows it.
    pub async fn check(&self, class: Class, caller: &str) -> Decision {
        self.note(class, self.count(class, caller, self.quotas.of(class)).await)
    }

    /// Counts something that is no request of `class` but may be done as often, such as a report of a
    /// page: it takes nothing from the quota of the class, and is not among its requests.
    pub async fn check_beside(&self, class: Class, caller: &str) -> Decision {
        self.count(class, caller, self.quotas.of(class)).await
    }

    /// Counts a request of somebody of whom only the address is known.
    pub async fn check_stranger(&self, class: Class, address: IpAddr) -> Decision {
        self.check(class, &key_of("address:", address)).await
    }

    /// Counts a request among all that come from an address, whoever makes them.
    pub async fn check_address(&self, class: Class, address: IpAddr) -> Decision {
        let key = key_of("all-of:", address);
        let decision = self.count(class, &key, self.quotas.of_address(class)).await;
        // What is let through here is decided by caller after that, but for who signs in.
        let is_last = !decision.allowed || class == Class::Auth;
        if is_last { self.note(class, decision) } else { decision }
    }

    /// How many requests of `class` were let through, and how many refused.
    pub fn decided(&self, class: Class) -> (u64, u64) {
        let [allowed, refused] = &self.decided[class as usize];
        (allowed.load(Ordering::Relaxed), refused.load(Ordering::Relaxed))
    }

    /// How many callers and addresses this process counts at this moment.
    pub fn keys_count(&self) -> usize {
        self.here.keys_count(self.now_us())
    }

    /// Whether the shared count answers; `None` without one.
    pub fn is_shared_now(&self) -> Option<bool> {
        self.shared.as_ref().map(|shared| !shared.is_away.load(Ordering::Relaxed))
    }

    fn note(&self, class: Class, decision: Decision) -> Decision {
        self.decided[class as usize][usize::from(!decision.allowed)]
            .fetch_add(1, Ordering::Relaxed);
        decision
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.clock.now().as_microsecond()).unwrap_or(0)
    }

    async fn count(&self, class: Class, key: &str, quota: Quota) -> Decision {
        // By the instant at which it is counted: while Redis was waited for, others were counted here.
        let count_here = || self.here.check(class, key, quota, self.now_us());
        let Some(shared) = &self.shared else { return count_here() };
        let here = (class == Class::Auth).then(count_here);
        match (shared.check(class, key, quota).await, here) {
            (None, None) => count_here(),
            (None, Some(here)) => here,
            (Some(shared), None) => shared,
            (Some(shared), Some(here)) => {
                self.here.learn(class, key, quota, self.now_us(), shared.full_after_us);
                shared.stricter(here)
            }
        }
    }
}

impl Shared {
    /// What the shared count decides; `None` while it is away.
    async fn check(&self, class: Class, key: &str, quota: Quota) -> Option<Decision> {
        let decision = self.limiter.check(class, key, quota).await;
        // Logged when it goes away and when it is back, and not for each request.
        match &decision {
            Err(error) if !self.is_away.swap(true, Ordering::Relaxed) => tracing::warn!(
                %error,
                "Redis does not answer, so this server counts requests alone: {error}"
            ),
            Ok(_) if self.is_away.swap(false, Ordering::Relaxed) => {
                tracing::info!("Redis answers again, so requests are counted together");
            }
            Ok(_) | Err(_) => {}
        }
        decision.ok()
    }
}

/// What an address is counted under; without the machinery of formats where it can be, for every request
/// is counted so.
fn key_of(prefix: &str, address: IpAddr) -> String {
    match network(address) {
        IpAddr::V4(address) => {
            let mut digits = [itoa::Buffer::new(); 4];
            let [a, b, c, d] = &mut digits;
            let [one, two, three, four] = address.octets();
            [prefix, a.format(one), ".", b.format(two), ".", c.format(three), ".", d.format(four)]
                .concat()
        }
        IpAddr::V6(address) => format!("{prefix}{address}"),
    }
}

/// What stands for an address: of IPv6 the network of 64 bits that one customer has, and an IPv4
/// address however it is written.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use bist_market::FixedClock;
    use bist_store::RedisLink;
    use bist_testkit::hand_clock::HandClock;
    use bist_testkit::redis_server::RedisServer;
    use jiff::SignedDuration;

    use super::*;

    fn limits() -> RateLimits {
        let clock = FixedClock("2026-11-24T12:00:00Z".parse().unwrap());
        RateLimits::new(Quotas::default(), Arc::new(clock))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn addresses_of_one_customer_are_one() {
        let limits = limits();
        for n in 1..=5 {
            let one = address(&format!("2001:db8:1:2::{n}"));
            assert!(limits.check_address(Class::Auth, one).await.allowed);
        }
        let refused = async |text| !limits.check_address(Class::Auth, address(text)).await.allowed;
        assert!(refused("2001:db8:1:2:ffff::1").await);
        assert!(!refused("2001:db8:1:3::1").await);
        for _ in 0..5 {
            limits.check_address(Class::Auth, address("192.0.2.1")).await;
        }
        assert!(refused("::ffff:192.0.2.1").await);
        assert!(!refused("192.0.2.2").await);
    }

    #[tokio::test]
    async fn an_address_has_room_for_several_callers_but_not_for_any_number() {
        let limits = limits();
        let one = address("192.0.2.1");
        for _ in 0..20 {
            assert!(limits.check(Class::Ai, "account:u1").await.allowed);
        }
        assert!(!limits.check(Class::Ai, "account:u1").await.allowed);
        assert!(limits.check(Class::Ai, "account:u2").await.allowed);
        for _ in 0..200 {
            assert!(limits.check_address(Class::Ai, one).await.allowed);
        }
        assert!(!limits.check_address(Class::Ai, one).await.allowed);
        assert!(limits.check_stranger(Class::Ai, one).await.allowed, "that is another count");
    }

    #[tokio::test]
    async fn what_is_counted_beside_a_class_has_an_end_and_is_none_of_its_requests() {
        let limits = limits();
        for _ in 0..10 {
            assert!(limits.check_beside(Class::Trading, "page-error:u1").await.allowed);
        }
        assert!(!limits.check_beside(Class::Trading, "page-error:u1").await.allowed);
        assert_eq!(limits.decided(Class::Trading), (0, 0));
        assert!(limits.check(Class::Trading, "account:u1").await.allowed);
        assert_eq!(limits.decided(Class::Trading), (1, 0));
    }

    #[tokio::test]
    async fn who_waited_for_redis_is_counted_when_the_wait_is_over() {
        // It takes connections and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}/0", silent.local_addr().unwrap());
        let link = RedisLink::new(&url.parse().unwrap(), None).unwrap();
        let clock = Arc::new(HandClock::new("2026-11-24T12:00:00Z".parse().unwrap()));
        let quotas = Quotas { default: "2/s".parse().unwrap(), ..Quotas::default() };
        let limits = RateLimits::new(quotas, Arc::clone(&clock) as Arc<dyn Clock>)
            .with_shared(SharedLimiter::new(link));
        // The second is counted here while the first one still waits, and has used half of what there is.
        let second = async {
            clock.pass(SignedDuration::from_secs(2));
            limits.here.check(Class::Default, "a", quotas.default, limits.now_us())
        };
        let (first, second) = tokio::join!(limits.check(Class::Default, "a"), second);
        assert!(second.allowed);
        assert_eq!((first.allowed, first.remaining), (true, 0));
    }

    #[tokio::test]
    async fn a_redis_that_is_back_counts_again_and_what_was_away_was_counted_here() {
        let Some(mut server) = RedisServer::start() else { return };
        let limits = [(); 2].map(|()| {
            let link = RedisLink::new(&server.url().parse().unwrap(), None).unwrap();
            limits().with_shared(SharedLimiter::new(link))
        });
        let left = async |limits: &RateLimits, caller: &str| {
            limits.check(Class::Default, caller).await.remaining
        };
        assert_eq!((left(&limits[0], "a").await, left(&limits[1], "a").await), (99, 98));
        server.kill();
        assert_eq!((left(&limits[0], "a").await, left(&limits[1], "a").await), (99, 99));
        server.start_again();
        // Once both have noticed, the second sees what the first has counted.
        let mut tried = 0;
        loop {
            let caller = format!("caller {tried}");
            if (left(&limits[0], &caller).await, left(&limits[1], &caller).await) == (99, 98) {
                break;
            }
            tried += 1;
            tokio::task::yield_now().await;
        }
    }
}

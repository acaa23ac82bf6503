//! What the operator decides about the edge of the service.

use std::sync::Arc;
use std::time::Duration;

use bist_app::ProcessRole;
use bist_app::rate_limits::RateLimits;
use ipnet::IpNet;

use crate::origin::Origin;
use crate::tls::Tls;

/// How the service is reached, by whom, and how much they may take.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// What this process does; one that answers no people says only how it is.
    pub role: ProcessRole,
    /// How often who may ask.
    pub limits: Arc<RateLimits>,
    /// The address under which people reach the service; without one only this machine is answered.
    pub public_url: Option<Origin>,
    /// Proxies whose word about the address of a client is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Other origins whose pages may read answers.
    pub cors_origins: Vec<Origin>,
    /// What connections may take.
    pub connections: ConnectionLimits,
    /// What live streams may take.
    pub live: LiveLimits,
    /// The certificate, where TLS ends here.
    pub tls: Option<Tls>,
}

impl ServerSettings {
    /// The settings without a word from the operator: for this machine only.
    pub fn new(limits: Arc<RateLimits>) -> Self {
        Self {
            role: ProcessRole::All,
            limits,
            public_url: None,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            connections: ConnectionLimits::default(),
            live: LiveLimits::default(),
            tls: None,
        }
    }
}

/// What connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// How many there may be. One more takes the place of the one that has waited the longest for a
    /// request to come.
    pub connections_max: usize,
    /// How many of them from one address, trusted proxies aside. One more is closed at once.
    pub connections_per_address_max: usize,
    /// How long the head of a request may take to come, from the answer before it on; and a greeting
    /// of TLS.
    pub head_time_max: Duration,
    /// How long a body may take to come.
    pub body_time_max: Duration,
    /// How many requests may be under way; one more is sent away at once.
    pub requests_max: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            connections_per_address_max: 256,
            head_time_max: Duration::from_secs(15),
            body_time_max: Duration::from_secs(10),
            requests_max: 512,
        }
    }
}

/// What live streams may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveLimits {
    /// How many there may be.
    pub streams_max: usize,
    /// How many of them of one account, its API keys counted in.
    pub streams_per_account_max: usize,
    /// How often each says how far it is, and asks whether who listens is still there and still may.
    pub heartbeat_every: Duration,
    /// How long what is sent may take to go out; whoever does not read is cut off then.
    pub write_time_max: Duration,
    /// The largest message of a client, bytes.
    pub message_size_bytes_max: usize,
    /// How long a poll waits for something to happen.
    pub poll_time_max: Duration,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            streams_max: 10_000,
            streams_per_account_max: 20,
            heartbeat_every: Duration::from_secs(15),
            write_time_max: Duration::from_secs(10),
            message_size_bytes_max: 4096,
            poll_time_max: Duration::from_secs(25),
        }
    }
}

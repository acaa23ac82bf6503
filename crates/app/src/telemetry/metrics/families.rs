//! All families of metrics: their names, kinds, labels and meanings. docs/METRICS.md has the same table,
//! and a test compares them.

use prometheus_client::metrics::MetricType;

/// What a family consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What only grows while the process lives.
    Counter,
    /// What goes up and down.
    Gauge,
    /// How often something was how large.
    Histogram,
}

impl Kind {
    /// The word of the formats.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    pub(super) const fn metric_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
        }
    }
}

/// A family of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name by which it is asked for; of a counter with `_total` at its end.
    pub name: &'static str,
    /// What it consists of.
    pub kind: Kind,
    /// What tells its series apart.
    pub labels: &'static [&'static str],
    /// What it means, without a full stop.
    pub help: &'static str,
}

impl Family {
    /// The name as the encoder wants it, which adds the end of counters by itself.
    pub(super) fn bare_name(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
    }

    /// The family called `name`.
    ///
    /// # Panics
    ///
    /// When it has no row: whoever tells of it has forgotten it.
    pub(super) fn named(name: &str) -> &'static Self {
        let found = FAMILIES.iter().find(|family| family.name == name);
        found.unwrap_or_else(|| panic!("the family {name} has no row"))
    }
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Histogram, labels, help }
}

/// All families, in the order in which they are told.
pub const FAMILIES: &[Family] = &[
    gauge("process_start_time_seconds", &[], "When the process was started, seconds of Unix"),
    counter("process_cpu_seconds_total", &[], "Processor time of the user and the system, seconds"),
    gauge("process_resident_memory_bytes", &[], "Memory that the process holds, bytes"),
    gauge("process_open_fds", &[], "Open files and sockets"),
    gauge("process_max_fds", &[], "How many files and sockets may be open"),
    gauge("bist_build_info", &["version"], "1, with the version of the program"),
    gauge("bist_ready", &[], "1 when requests can be answered, otherwise 0"),
    gauge("bist_health_check", &["check"], "1 when a check of readiness is ok, otherwise 0"),
    gauge("bist_disk_free_bytes", &[], "Room in the file system of the data directory, bytes"),
    gauge("bist_disk_size_bytes", &[], "Size of the file system of the data directory, bytes"),
    gauge(
        "bist_certificate_not_after_timestamp_seconds",
        &[],
        "Until when the certificate in use is good, seconds of Unix",
    ),
    counter("bist_scrape_failures_total", &["part"], "Readings for this page that failed, by part"),
    counter(
        "bist_http_requests_total",
        &["method", "route", "status"],
        "Requests that were answered",
    ),
    histogram(
        "bist_http_request_duration_seconds",
        &["method", "route"],
        "From the head of a request until its answer was made, seconds",
    ),
    gauge("bist_http_requests_in_flight", &[], "Requests that are being answered"),
    counter(
        "bist_http_requests_shed_total",
        &[],
        "Requests sent away because all places were taken",
    ),
    counter(
        "bist_rate_limit_decisions_total",
        &["class", "outcome"],
        "Requests that the limiter has let through or refused",
    ),
    gauge("bist_rate_limit_keys", &[], "Callers and addresses whose count is held here"),
    gauge(
        "bist_rate_limit_shared",
        &[],
        "1 while requests are counted in Redis, 0 while here alone",
    ),
    gauge(
        "bist_breaker_state",
        &["target", "state"],
        "1 for the state in which the breaker of something outside is, 0 for the others",
    ),
    gauge("bist_database_up", &[], "1 when the database answers, otherwise 0"),
    gauge("bist_database_connections", &["pool", "state"], "Connections to the database"),
    gauge("bist_database_size_bytes", &[], "Size of the database, bytes"),
    gauge("bist_jobs_waiting", &["job"], "Runs of a job that nobody has begun"),
    gauge("bist_jobs_running", &["job"], "Runs of a job that were begun and have not ended"),
    counter("bist_job_runs_total", &["job", "outcome"], "Runs that this process has ended"),
    histogram("bist_job_duration_seconds", &["job", "outcome"], "How long runs were done, seconds"),
    gauge(
        "bist_job_last_success_timestamp_seconds",
        &["job"],
        "When a run of a job was done last, seconds of Unix",
    ),
    gauge("bist_live_clients", &["transport"], "Who listens to the live stream"),
    counter("bist_live_messages_total", &["transport"], "Envelopes that were sent"),
    counter("bist_live_conflated_total", &[], "Prices left out because a newer one followed"),
    counter(
        "bist_live_shed_total",
        &[],
        "Listeners sent away, or cut off because they did not read",
    ),
    gauge(
        "bist_ingest_last_success_timestamp_seconds",
        &["source"],
        "When a source last brought something or had nothing newer, seconds of Unix",
    ),
    gauge("bist_ingest_rows", &["source", "outcome"], "Stored rows, as the last check counts them"),
    gauge(
        "bist_data_age_seconds",
        &["source"],
        "From the end of the session of the newest daily bar until now, seconds",
    ),
    gauge("bist_data_quality_score", &[], "The score of what models may see, 0 to 1"),
    gauge("bist_data_quality_symbols", &["state"], "Primary series by the band of their score"),
    counter("bist_cache_requests_total", &["cache", "outcome"], "Answers that were kept or made"),
    gauge("bist_model_info", &["horizon", "version"], "1, with the version in force"),
    gauge(
        "bist_model_age_seconds",
        &["horizon"],
        "Since the version in force was trained, seconds",
    ),
    gauge(
        "bist_model_rank_ic",
        &["horizon", "window"],
        "The rank information coefficient, a mean over days",
    ),
    gauge(
        "bist_model_calibration_error",
        &["horizon", "window"],
        "The expected calibration error of the probability of a rise",
    ),
    gauge(
        "bist_model_coverage",
        &["horizon", "level", "window"],
        "The share of outcomes inside the band",
    ),
    gauge(
        "bist_model_drift",
        &["horizon"],
        "1 when the newest look for drift has an alarm, otherwise 0",
    ),
    gauge("bist_model_drifted_features", &["horizon"], "Features that had drifted then, a share"),
    gauge("bist_model_signals", &["horizon", "action"], "Newest signals, one a symbol"),
    gauge(
        "bist_backup_last_success_timestamp_seconds",
        &[],
        "When the newest backup was made, seconds of Unix",
    ),
    gauge(
        "bist_backup_last_verified_timestamp_seconds",
        &[],
        "When a backup was last read again and found right, seconds of Unix",
    ),
    gauge("bist_backup_size_bytes", &[], "Size of the newest backup, bytes"),
    gauge("bist_backup_overdue", &[], "1 when the newest backup is too old, otherwise 0"),
    counter("bist_sign_ins_total", &["outcome"], "Attempts to sign in"),
    gauge("bist_sessions_active", &[], "Sessions that are in force"),
    gauge("bist_api_keys", &["state"], "API keys by their state"),
    gauge("bist_users", &["role"], "Active accounts by role"),
    gauge("bist_audit_records", &[], "Records of the audit"),
    counter("bist_errors_total", &["kind"], "Errors, each once"),
    counter("bist_sentry_events_total", &["outcome"], "Errors that were to go to Sentry"),
    counter("bist_telemetry_dropped_total", &["part"], "What was noticed and could not be kept"),
];

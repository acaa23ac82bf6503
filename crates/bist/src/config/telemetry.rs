//! What is counted and noted of how the service is used, and how long it is kept.

use anyhow::bail;
use bist_app::telemetry::traces::TraceSettings;
use bist_app::telemetry::usage::TelemetrySettings;
use serde::Deserialize;

/// Most days that anything of it is kept: ten years.
const DAYS_MAX: u32 = 3_650;

/// Most days that who signed in is kept, as the history of sign-ins is.
const SIGN_INS_DAYS_MAX: u32 = 365;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TelemetrySection {
    metrics: Option<bool>,
    usage: Option<bool>,
    activity: Option<bool>,
    minutes_kept_days: Option<u32>,
    hours_kept_days: Option<u32>,
    days_kept_days: Option<u32>,
    views_kept_days: Option<u32>,
    sign_ins_kept_days: Option<u32>,
    exports_kept_days: Option<u32>,
    alerts_kept_days: Option<u32>,
    traces_url: Option<String>,
    traces_sample_rate: Option<f64>,
}

/// What is counted and noted, by the section `[telemetry]`.
pub(super) fn load(section: &TelemetrySection) -> anyhow::Result<TelemetrySettings> {
    let default = TelemetrySettings::default();
    let days = |name: &str, given: Option<u32>, default: u32, max: u32| match given {
        None => Ok(default),
        Some(days) if (1..=max).contains(&days) => Ok(days),
        Some(days) => bail!("telemetry.{name} is {days}; give days from 1 to {max}"),
    };
    let kept = |name, given, default| days(name, given, default, DAYS_MAX);
    let settings = TelemetrySettings {
        metrics: section.metrics.unwrap_or(default.metrics),
        usage: section.usage.unwrap_or(default.usage),
        activity: section.activity.unwrap_or(default.activity),
        minutes_kept_days: kept(
            "minutes_kept_days",
            section.minutes_kept_days,
            default.minutes_kept_days,
        )?,
        hours_kept_days: kept("hours_kept_days", section.hours_kept_days, default.hours_kept_days)?,
        days_kept_days: kept("days_kept_days", section.days_kept_days, default.days_kept_days)?,
        views_kept_days: kept("views_kept_days", section.views_kept_days, default.views_kept_days)?,
        sign_ins_kept_days: days(
            "sign_ins_kept_days",
            section.sign_ins_kept_days,
            default.sign_ins_kept_days,
            SIGN_INS_DAYS_MAX,
        )?,
        exports_kept_days: kept(
            "exports_kept_days",
            section.exports_kept_days,
            default.exports_kept_days,
        )?,
        alerts_kept_days: kept(
            "alerts_kept_days",
            section.alerts_kept_days,
            default.alerts_kept_days,
        )?,
    };
    let TelemetrySettings { minutes_kept_days, hours_kept_days, days_kept_days, .. } = settings;
    if minutes_kept_days > hours_kept_days || hours_kept_days > days_kept_days {
        bail!(
            "telemetry keeps counts by minute for {minutes_kept_days} days, by hour for \
             {hours_kept_days} and by day for {days_kept_days}; keep coarser ones at least as long"
        );
    }
    Ok(settings)
}

/// Where spans go, by the same section; `environment` is what errors call this installation.
pub(super) fn traces(
    section: &TelemetrySection,
    environment: &str,
) -> anyhow::Result<Option<TraceSettings>> {
    let rate = section.traces_sample_rate;
    if let Some(rate) = rate.filter(|rate| !(0.0..=1.0).contains(rate)) {
        bail!("telemetry.traces_sample_rate is {rate}; give a share from 0 to 1");
    }
    let Some(url) = section.traces_url.clone() else {
        if rate.is_some() {
            bail!("telemetry.traces_sample_rate is of no use without telemetry.traces_url");
        }
        return Ok(None);
    };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        bail!("telemetry.traces_url is {url}; give one such as http://127.0.0.1:4318/v1/traces");
    }
    let sample_rate = rate.unwrap_or(1.0);
    Ok(Some(TraceSettings { url, sample_rate, environment: environment.to_owned() }))
}

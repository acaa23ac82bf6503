//! Remarks on accepted daily bars: their volume, and closes that do not move.

use super::finding::{Finding, FindingKind};
use super::{ValidationPolicy, count};
use crate::bar::Bar;

/// All remarks; none of them keeps a bar out.
pub(super) fn check(bars: &[Bar], policy: ValidationPolicy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, bar) in bars.iter().enumerate() {
        findings.extend(volume(bar).map(|kind| about(bar, kind)));
        findings.extend(flat(bar).map(|kind| about(bar, kind)));
        findings.extend(outlier(&bars[..index], bar, policy).map(|kind| about(bar, kind)));
    }
    findings.extend(stale_runs(bars, policy));
    findings
}

fn about(bar: &Bar, kind: FindingKind) -> Finding {
    Finding::new(Some(bar.opened_at), Some(bar.day), kind)
}

/// A session without a trade, or without a volume.
fn volume(bar: &Bar) -> Option<FindingKind> {
    match bar.volume {
        None => Some(FindingKind::MissingVolume),
        Some(shares) => (shares.0 == 0).then_some(FindingKind::ZeroVolume),
    }
}

/// Four equal prices although shares were traded.
fn flat(bar: &Bar) -> Option<FindingKind> {
    let traded = bar.volume.is_some_and(|shares| shares.0 > 0);
    (traded && bar.low == bar.high).then_some(FindingKind::FlatBar)
}

/// A volume far from the median of the rows before.
fn outlier(before: &[Bar], bar: &Bar, policy: ValidationPolicy) -> Option<FindingKind> {
    let window = usize::try_from(policy.volume_window_rows).ok()?;
    let volume = bar.volume.filter(|shares| shares.0 > 0)?;
    let mut volumes: Vec<u64> =
        before.iter().rev().take(window).filter_map(|bar| bar.volume).map(|v| v.0).collect();
    if volumes.len() < window || window == 0 {
        return None;
    }
    volumes.sort_unstable();
    let (low, high) = (volumes[(window - 1) / 2], volumes[window / 2]);
    let median_shares = f64::midpoint(count_f64(low), count_f64(high));
    if median_shares <= 0.0 {
        return None;
    }
    let multiple = volume.count() / median_shares;
    let usual = 1.0 / policy.volume_multiple_max..=policy.volume_multiple_max;
    (!usual.contains(&multiple)).then_some(FindingKind::VolumeOutlier {
        volume_shares: volume.0,
        median_shares,
        multiple,
    })
}

/// Shares as a float.
fn count_f64(shares: u64) -> f64 {
    crate::quantity::Shares(shares).count()
}

/// Runs of equal closes.
fn stale_runs(bars: &[Bar], policy: ValidationPolicy) -> impl Iterator<Item = Finding> {
    bars.chunk_by(|a, b| a.close == b.close)
        .filter(move |run| count(run.len()) >= u64::from(policy.stale_rows_min.max(2)))
        .map(|run| {
            let (first, last) = (&run[0], &run[run.len() - 1]);
            about(
                first,
                FindingKind::StaleCloseRun {
                    rows_count: count(run.len()),
                    to: last.day,
                    close_units: first.close.units(),
                },
            )
        })
}

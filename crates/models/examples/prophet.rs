//! Fits Prophet to the last 2520 closes of each symbol and forecasts history and 30 weekdays more,
//! three times over, for `scripts/bench_prophet.py` to compare with Python prophet.
//!
//! Usage: `prophet FILE FORECASTS`; FILE is a CSV with the columns symbol, date, close, sorted by
//! symbol and date. Prints one line of JSON a run: what was done, seconds, and the log-posteriors.
//! Writes the last run's forecasts, bands and components as a CSV to FORECASTS.

#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::BTreeMap;
use std::time::Instant;

use bist_models::ProphetParams;
use bist_models::prophet::BandSampling;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

const ROWS_COUNT: usize = 2520;
const AHEAD: usize = 30;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, forecasts_path] = arguments.as_slice() else {
        return Err("usage: prophet FILE FORECASTS".into());
    };
    let mut series: BTreeMap<String, (Vec<Date>, Vec<f64>)> = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines().skip(1) {
        let [symbol, day, close] = line.split(',').collect::<Vec<_>>()[..] else {
            return Err(format!("'{line}' is not symbol, date and close").into());
        };
        let (days, closes) = series.entry(symbol.to_owned()).or_default();
        days.push(day.parse()?);
        closes.push(close.parse()?);
    }

    let params = ProphetParams { holidays: None, ..ProphetParams::default() };
    let mut lines = Vec::new();
    for _ in 0..3 {
        for samples_count in [0, 1000] {
            let started = Instant::now();
            let mut fits = Vec::new();
            lines.clear();
            for (symbol, (days, closes)) in &series {
                let from = days.len().saturating_sub(ROWS_COUNT);
                let (days, closes) = (&days[from..], &closes[from..]);
                let fitted = params.fit_series(days, closes, &[])?;
                let ahead = days[days.len() - 1].series(1.day()).skip(1);
                let weekdays = ahead
                    .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
                let days_and_ahead: Vec<Date> =
                    days.iter().copied().chain(weekdays.take(AHEAD)).collect();
                let forecast = fitted.forecast(&days_and_ahead, &[]);
                let sampling = BandSampling { level: 0.8, samples_count, seed: 1 };
                let bands = (samples_count > 0).then(|| fitted.bands(&forecast, sampling));
                fits.push((symbol, fitted, days, closes, forecast, bands));
            }
            let seconds = started.elapsed().as_secs_f64();
            let log_posteriors: Vec<f64> = (fits.iter())
                .map(|(_, fitted, days, closes, ..)| fitted.log_posterior(days, closes, &[]))
                .collect();
            println!(
                "{{\"name\": \"fit_forecast30_samples{samples_count}\", \"seconds\": {seconds}, \
                 \"log_posteriors\": {log_posteriors:?}}}"
            );
            for (symbol, .., forecast, bands) in &fits {
                let Some(bands) = bands else { continue };
                for (row, day) in forecast.days.iter().enumerate() {
                    let terms = forecast.terms.iter().map(|term| term.values[row].to_string());
                    let numbers: Vec<String> = [
                        forecast.yhat[row],
                        bands.yhat_lower[row],
                        bands.yhat_upper[row],
                        forecast.trend[row],
                    ]
                    .iter()
                    .map(f64::to_string)
                    .chain(terms)
                    .collect();
                    lines.push(format!("{symbol},{day},{}", numbers.join(",")));
                }
            }
        }
    }
    lines.insert(0, "symbol,date,yhat,yhat_lower,yhat_upper,trend,yearly,weekly".to_owned());
    std::fs::write(forecasts_path, lines.join("\n"))?;
    Ok(())
}

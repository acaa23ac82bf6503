//! An evaluation on the terminal: short, aligned, the verdict first.

use std::fmt;

use bist_trading::Estimate;

use super::{
    BAND_LEVELS, Better, ByBaseline, Evaluation, InformationCoefficient, RankIcMethod, Rmse,
    SliceEvaluation,
};

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} {}, out of sample {} to {}: {} forecasts, {} days, {} symbols",
            self.kind,
            self.horizon.in_words(),
            self.from,
            self.to,
            self.rows_count,
            self.days_count,
            self.symbols_count
        )?;
        writeln!(f, "{}", self.sentence.en)?;
        if let Some(alarm) = &self.alarm {
            writeln!(f, "ALARM: {}", alarm.text)?;
        }
        writeln!(f, "Skill {}", if self.skill.shown { "shown" } else { "not shown" })?;
        for reason in &self.skill.reasons {
            writeln!(f, "  {} {}", if reason.met { "yes" } else { "no " }, reason.text)?;
        }
        self.scores(f)?;
        self.comparisons(f)?;
        self.members(f)?;
        self.money(f)?;
        self.bands(f)?;
        self.beyond_the_return(f)?;
        self.fold_table(f)?;
        self.slices(f)?;
        let protocol = &self.protocol;
        writeln!(
            f,
            "Purge {} sessions, embargo {} sessions, seed {}, configurations tried {}",
            protocol.purge_sessions,
            protocol.embargo_sessions,
            protocol.seed,
            protocol.configurations_tried_count
        )?;
        for caveat in &self.caveats {
            writeln!(f, "Note: {}", caveat.text)?;
        }
        Ok(())
    }
}

impl Evaluation {
    fn scores(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::coefficient(f, "Rank IC", &self.rank_ic)?;
        Self::coefficient(f, "IC", &self.ic)?;
        writeln!(
            f,
            "Hit rate                 {}, always up {}",
            Shown(self.hit_rate.estimate),
            number(self.hit_rate.up_share)
        )?;
        writeln!(f, "Calibration slope        {}", Shown(self.calibration_slope))?;
        Self::errors(f, "errors", &self.rmse, &self.skill_scores)?;
        match (&self.relative_rmse, &self.relative_skill_scores) {
            (Some(rmse), Some(scores)) => {
                Self::errors(f, "errors relative to the day", rmse, scores)
            }
            _ => Ok(()),
        }
    }

    fn coefficient(
        f: &mut fmt::Formatter<'_>,
        name: &str,
        coefficient: &InformationCoefficient,
    ) -> fmt::Result {
        let across = match coefficient.method {
            RankIcMethod::CrossSectional => "across symbols",
            RankIcMethod::TimeSeries => "over time",
        };
        writeln!(
            f,
            "{:<24} {}, {} days, effective {:.0}",
            format!("{name} {across}"),
            Shown(coefficient.estimate),
            coefficient.days_count,
            coefficient.effective_days_count
        )?;
        let Some(bootstrap) = &coefficient.bootstrap else { return Ok(()) };
        writeln!(
            f,
            "  {:<22} {}, blocks of {:.1} days",
            "bootstrap",
            Shown(Some(bootstrap.coefficient)),
            bootstrap.mean_block_days
        )?;
        let Some(ratio) = bootstrap.information_ratio else { return Ok(()) };
        writeln!(f, "  {:<22} {}", "information ratio", Shown(Some(ratio)))
    }

    fn errors(
        f: &mut fmt::Formatter<'_>,
        title: &str,
        rmse: &Rmse,
        scores: &ByBaseline<Option<f64>>,
    ) -> fmt::Result {
        writeln!(f, "{title:<27} {:>7} {:>12}", "RMSE", "skill score")?;
        writeln!(f, "  {:<22} {:>10.5}", "model", rmse.model)?;
        for (baseline, rmse) in rmse.baselines.iter() {
            let (name, score) = (spoken(baseline.word()), number(scores[baseline]));
            writeln!(f, "  {name:<22} {rmse:>10.5} {score:>12}")?;
        }
        Ok(())
    }

    fn members(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.members.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "{:<22} {:>6} {:>9} {:>8}  rank IC",
            "members, weight when", "calm", "turbulent", "RMSE"
        )?;
        for member in &self.members {
            writeln!(
                f,
                "  {:<20} {:>6.3} {:>9.3} {:>8.5}  {}",
                member.kind,
                member.weight.calm,
                member.weight.turbulent,
                member.rmse,
                Shown(member.rank_ic)
            )?;
        }
        Ok(())
    }

    fn comparisons(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20} {:>18} {:>9}  better", "compared with", "their loss above", "p-value")?;
        for comparison in &self.comparisons {
            let better = match comparison.better {
                Better::Model => "the model",
                Better::Other => "the other",
                Better::NotToldApart => "not told apart",
            };
            let loss = comparison.loss_difference;
            writeln!(
                f,
                "  {:<20} {:>16} {:>9}  {better}",
                spoken(&comparison.against),
                loss.map_or_else(|| "-".to_owned(), |loss| format!("{:.2e}", loss.value)),
                number(comparison.p_value)
            )?;
        }
        Ok(())
    }

    fn money(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(after) = &self.after_costs else { return Ok(()) };
        writeln!(
            f,
            "After costs of {:.2} % a round trip: {} periods of {}, {} trades, invested in {}",
            after.round_trip_share * 100.0,
            after.periods_count,
            match after.days_per_period {
                0 => "an hour".to_owned(),
                days => format!("{days} days"),
            },
            after.trades_count,
            after.invested_periods_count
        )?;
        writeln!(f, "  gross a period         {:.4}", after.gross_return_share)?;
        writeln!(f, "  net a period           {}", Shown(after.net_return_share))?;
        writeln!(f, "  holding all            {:.4}", after.hold_return_share)?;
        writeln!(f, "  net less holding       {}", Shown(after.excess_return_share))
    }

    fn bands(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first step, the middle one and the last tell how it goes.
        let last = u32::from(self.horizon.sessions());
        let shown = [1, last.div_ceil(2), last];
        for level in BAND_LEVELS {
            write!(f, "Band of {:>2.0} % held", level * 100.0)?;
            let of_level = self.coverage.iter().filter(|c| (c.level - level).abs() < 1e-9);
            for coverage in of_level.filter(|coverage| shown.contains(&coverage.step)) {
                let [adapted, unadapted] = [coverage.covered, coverage.covered_unadapted]
                    .map(|covered| number(covered.map(|covered| covered.value)));
                write!(f, "  {}: {adapted} ({unadapted} not adapted)", coverage.step)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    /// The outlook beside what it is compared with.
    fn beyond_the_return(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(direction) = &self.outlook.direction {
            let scores = &direction.calibrated;
            writeln!(
                f,
                "Probability of a rise    Brier {:.4}, of the base rate {:.4}, gain {}",
                scores.brier,
                direction.average_brier,
                Shown(direction.brier_gain)
            )?;
            writeln!(
                f,
                "  {:<22} {}, log loss {:.4}, calibration error {:.4} ({:.4} before)",
                "calibrated by",
                direction.method,
                scores.log_loss,
                scores.ece,
                direction.uncalibrated.ece
            )?;
        }
        if let Some(volatility) = &self.outlook.volatility {
            writeln!(
                f,
                "Volatility               QLIKE {:.4}, of persistence {:.4}, gain {}",
                volatility.qlike,
                volatility.persistence_qlike,
                Shown(volatility.qlike_gain)
            )?;
        }
        if let Some(barriers) = &self.outlook.barriers {
            writeln!(
                f,
                "Barriers                 Brier {:.4}, of the base rates {:.4}, gain {}",
                barriers.brier,
                barriers.average_brier,
                Shown(barriers.brier_gain)
            )?;
        }
        let check = &self.leak_check;
        writeln!(
            f,
            "No leak found            with another future after {}, {} values and {} forecasts came \
             out the same",
            check.changed_after, check.values_count, check.forecasts_count
        )
    }

    fn fold_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Fold  {:<10} {:<10}  {:<10} {:<10} {:>8} {:>8} {:>6} {:>8} {:>8}",
            "train from", "to", "test from", "to", "train", "test", "trees", "rank IC", "hits"
        )?;
        for (index, fold) in self.folds.iter().enumerate() {
            let layout = &fold.layout;
            writeln!(
                f,
                "{:>4}  {} {}  {} {} {:>8} {:>8} {:>6} {:>8} {:>8}",
                index + 1,
                layout.train_from,
                layout.train_to,
                layout.test_from,
                layout.test_to,
                layout.train_rows_count,
                layout.test_rows_count,
                layout.trees_count,
                number(fold.rank_ic),
                number(fold.hit_share)
            )?;
        }
        Ok(())
    }

    fn slices(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = |f: &mut fmt::Formatter<'_>, of: &str| {
            writeln!(
                f,
                "{of:<22} {:>8} {:>8}  {:<34} {:>8} {:>12}",
                "days", "rows", "rank IC", "hits", "against zero"
            )
        };
        header(f, "by year")?;
        for year in &self.by_year {
            slice_line(f, year.year, &year.record)?;
        }
        if self.by_sector.is_empty() {
            return Ok(());
        }
        header(f, "by sector")?;
        for sector in &self.by_sector {
            slice_line(f, &sector.sector, &sector.record)?;
        }
        Ok(())
    }
}

/// A line of the tables by year and by sector.
fn slice_line(
    f: &mut fmt::Formatter<'_>,
    name: impl fmt::Display,
    record: &SliceEvaluation,
) -> fmt::Result {
    writeln!(
        f,
        "  {name:<20} {:>8} {:>8}  {:<34} {:>8} {:>12}",
        record.days_count,
        record.rows_count,
        Shown(record.rank_ic).to_string(),
        number(record.hit_share),
        number(record.skill_against_zero_share)
    )
}

/// A word of the API as it is read.
fn spoken(word: &str) -> String {
    word.replace('_', " ")
}

/// A number that may be absent.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// An estimate that may be absent.
struct Shown(Option<Estimate>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(estimate) => write!(f, "{estimate:.4}"),
            None => f.write_str("too few days"),
        }
    }
}

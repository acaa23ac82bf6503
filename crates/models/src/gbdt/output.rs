//! From the sum of the trees' answers to what is forecast.

/// What is forecast from a sum of answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    Identity,
    /// Trained on the signed root of the target.
    SignedSquare,
    Exp,
    /// A probability.
    Logistic {
        sigmoid: f64,
    },
    SoftPlus,
}

/// What a model's objective makes of the sum of its trees' answers, under LightGBM's names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    objective_line: String,
    link: Link,
    averaged: bool,
}

impl Output {
    /// Reads LightGBM's line on the objective; `None` for one that we do not know. `averaged`: the
    /// trees' answers are averaged instead of summed (a random forest).
    pub(crate) fn of_line(line: &str, averaged: bool) -> Option<Self> {
        let mut words = line.split_whitespace();
        let link = match words.next()? {
            "regression" if words.clone().eq(["sqrt"]) => {
                words.next();
                Link::SignedSquare
            }
            "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape"
            | "lambdarank" | "rank_xendcg" => Link::Identity,
            "poisson" | "gamma" | "tweedie" => Link::Exp,
            "binary" => {
                let sigmoid: f64 = words.next()?.strip_prefix("sigmoid:")?.parse().ok()?;
                Some(Link::Logistic { sigmoid }).filter(|_| sigmoid > 0.0 && sigmoid.is_finite())?
            }
            "cross_entropy" => Link::Logistic { sigmoid: 1.0 },
            "cross_entropy_lambda" => Link::SoftPlus,
            _ => return None,
        };
        if words.next().is_some() {
            return None;
        }
        Some(Self { objective_line: line.to_owned(), link, averaged })
    }

    pub(crate) fn objective_line(&self) -> &str {
        &self.objective_line
    }

    /// Whether the raw score is the forecast, in the units of the target.
    pub(crate) fn forecasts_target(&self) -> bool {
        let is_ranking = ["lambdarank", "rank_xendcg"].contains(&self.objective_line.as_str());
        self.link == Link::Identity && !is_ranking
    }

    pub(crate) fn is_averaged(&self) -> bool {
        self.averaged
    }

    /// What the answers of one tree are multiplied with before they are summed.
    #[expect(clippy::cast_precision_loss, reason = "a model has few trees")]
    pub(crate) fn tree_share(&self, trees_count: usize) -> f64 {
        if self.averaged { 1.0 / trees_count.max(1) as f64 } else { 1.0 }
    }

    /// The raw score from the sum of all answers.
    #[expect(clippy::cast_precision_loss, reason = "a model has few trees")]
    pub(crate) fn raw(&self, sum: f64, trees_count: usize) -> f64 {
        if self.averaged { sum / trees_count.max(1) as f64 } else { sum }
    }

    /// The forecast from the raw score; finite.
    pub(crate) fn forecast(&self, raw: f64) -> f64 {
        match self.link {
            Link::Identity => raw,
            Link::SignedSquare => (raw * raw).copysign(raw).clamp(f64::MIN, f64::MAX),
            Link::Exp => raw.exp().min(f64::MAX),
            Link::Logistic { sigmoid } => 1.0 / (1.0 + (-sigmoid * raw).exp()),
            Link::SoftPlus => raw.exp().min(f64::MAX).ln_1p(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_finite_whatever_the_trees_answer() {
        for line in ["regression sqrt", "gamma", "binary sigmoid:2", "cross_entropy_lambda"] {
            let output = Output::of_line(line, false).unwrap();
            for raw in [-1e300, -800.0, 0.0, 800.0, 1e300] {
                assert!(output.forecast(raw).is_finite(), "{line} {raw}");
            }
        }
    }

    #[test]
    fn an_objective_with_words_that_we_do_not_know_is_unknown() {
        for line in ["", "custom", "binary", "binary sigmoid:0", "huber sqrt", "multiclass"] {
            assert_eq!(Output::of_line(line, false), None, "{line}");
        }
    }
}

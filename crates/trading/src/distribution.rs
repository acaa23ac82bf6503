//! The two distributions that intervals need: the normal and Student's t.

/// Steps of bisection: the interval of the search shrinks below 1e-15 of its width.
const BISECTIONS_COUNT: usize = 100;

/// The point below which a standard normal variable lies with probability `p`, 0.5 <= p < 1.
pub fn normal_quantile(p: f64) -> f64 {
    upper_quantile(p, normal_cdf)
}

/// The point below which a variable of Student's t distribution with `df` degrees of freedom lies
/// with probability `p`, 0.5 <= p < 1. `df` is positive and need not be whole.
pub(crate) fn student_t_quantile(p: f64, df: f64) -> f64 {
    upper_quantile(p, |t| student_t_cdf(t, df))
}

/// Bisection on the upper half of a symmetric distribution.
fn upper_quantile(p: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    debug_assert!((0.5..1.0).contains(&p), "p is {p}");
    let (mut low, mut high) = (0.0, 1.0);
    while cdf(high) < p && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..BISECTIONS_COUNT {
        let middle = f64::midpoint(low, high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Standard normal distribution function for `x >= 0`.
///
/// Source: Marsaglia (2004), "Evaluating the Normal Distribution":
/// `1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)`.
fn normal_cdf(x: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    (0.5 + density * sum).min(1.0)
}

/// Student's t distribution function for `t >= 0`.
fn student_t_cdf(t: f64, df: f64) -> f64 {
    1.0 - 0.5 * student_t_p_value(t, df)
}

/// The probability that a variable of Student's t distribution lies at least as far from zero as `t`.
///
/// `df`, the degrees of freedom, is positive and need not be whole. By the incomplete beta function
/// this is `I_{df/(df+t^2)}(df/2, 1/2)`.
pub fn student_t_p_value(t: f64, df: f64) -> f64 {
    // The two arguments of the beta function that add up to one, each without cancellation.
    let (x, y) = (df / (df + t * t), t * t / (df + t * t));
    let (a, b) = (df / 2.0, 0.5);
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * y.ln();
    if y <= 0.0 {
        return 1.0;
    }
    let front = ln_front.exp();
    // The continued fraction converges fast on one side of the mode; the other side is one minus it.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(y, b, a) / b
    }
}

/// Continued fraction of the incomplete beta function.
///
/// Source: Abramowitz and Stegun, 26.5.8, evaluated by the modified Lentz method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// Logarithm of the gamma function for `x > 0`.
///
/// Source: Abramowitz and Stegun, 6.1.41 (Stirling's series), after raising the argument to 15 or
/// more by the recurrence 6.1.15.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let square = x * x;
    let series = 1.0 / 12.0
        - (1.0 / 360.0
            - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square)
            / square;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series / x - f64::ln(product)
}

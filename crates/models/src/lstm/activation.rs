//! The logistic function and the hyperbolic tangent on whole vector registers.
//!
//! Relative error below 1e-6 wherever the answer is a normal number. The exponential is that of the
//! Cephes library (Moshier, `expf.c`), as is the tangent near zero (`tanhf.c`).

use pulp::Simd;

/// Added to and taken from a number below 2^22, it leaves the nearest integer.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, of which the first has few bits, so that its multiples are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// The polynomial with these coefficients, that of the highest power first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = simd.mul_add_e_f32s(sum, x, simd.splat_f32s(*coefficient));
    }
    sum
}

/// e^x; outside -87..=88 that of the nearer end.
#[inline(always)]
fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(88.0)), simd.splat_f32s(-87.0));
    let round = simd.splat_f32s(ROUND);
    let shifted = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), round);
    let power = simd.sub_f32s(shifted, round);
    let rest = simd.mul_add_e_f32s(power, simd.splat_f32s(-LN_2_HIGH), x);
    let rest = simd.mul_add_e_f32s(power, simd.splat_f32s(-LN_2_LOW), rest);
    let tail = polynomial(
        simd,
        rest,
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5],
    );
    let tail = simd.mul_add_e_f32s(simd.mul_f32s(rest, rest), tail, rest);
    // The low bits of `shifted` are the power as an integer: moved into the exponent they are 2^n.
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scale = simd.transmute_f32s_u32s(simd.add_u32s(exponent, simd.splat_u32s(127 << 23)));
    simd.mul_add_e_f32s(tail, scale, scale)
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(x))))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let size = simd.abs_f32s(x);
    let decay = exp(simd, simd.mul_f32s(size, simd.splat_f32s(-2.0)));
    let far = simd.div_f32s(simd.sub_f32s(one, decay), simd.add_f32s(one, decay));
    let square = simd.mul_f32s(x, x);
    let near = polynomial(
        simd,
        square,
        [-5.704_988_7e-3, 2.063_908_8e-2, -5.373_971_6e-2, 0.133_314_42, -0.333_332_8],
    );
    let near = simd.mul_add_e_f32s(simd.mul_f32s(square, x), near, x);
    let signed =
        simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(0.0)), simd.neg_f32s(far), far);
    simd.select_f32s(simd.less_than_f32s(size, simd.splat_f32s(0.625)), near, signed)
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, Simd, WithSimd};

    /// Both functions of each number.
    struct Both<'a>(&'a [f32]);

    impl WithSimd for Both<'_> {
        type Output = Vec<(f32, f32)>;

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let first = |values: S::f32s| {
                let mut all = vec![0.0; S::F32_LANES];
                simd.partial_store_f32s(&mut all, values);
                all[0]
            };
            (self.0.iter())
                .map(|&x| {
                    let x = simd.splat_f32s(x);
                    (first(super::sigmoid(simd, x)), first(super::tanh(simd, x)))
                })
                .collect()
        }
    }

    #[track_caller]
    fn check(answers: Vec<(f32, f32)>, numbers: &[f32]) {
        for ((sigmoid, tanh), &x) in answers.into_iter().zip(numbers) {
            let wide = f64::from(x);
            let expected = [1.0 / (1.0 + (-wide).exp()), wide.tanh()];
            for (actual, expected) in [sigmoid, tanh].into_iter().zip(expected) {
                let error = (f64::from(actual) - expected).abs();
                assert!(error <= 1e-6 * expected.abs(), "{actual} for {expected} at {x}");
            }
        }
    }

    #[test]
    fn activations_are_those_of_the_standard_library_to_a_millionth() {
        let mut numbers: Vec<f32> = (-16_000_i16..=16_000).map(|k| f32::from(k) / 200.0).collect();
        numbers.extend([1e-30, -1e-30, 1e-10, -1e-7, 1e-4, 0.625, -0.625, 86.9, -86.9]);
        check(Arch::new().dispatch(Both(&numbers)), &numbers);
        check(Both(&numbers).with_simd(Scalar), &numbers);
    }

    #[test]
    fn activations_of_huge_numbers_are_the_limits() {
        for (sigmoid, tanh) in Arch::new().dispatch(Both(&[1e4, f32::MAX, f32::INFINITY])) {
            assert_eq!((sigmoid, tanh), (1.0, 1.0));
        }
        for (sigmoid, tanh) in Arch::new().dispatch(Both(&[-1e4, f32::MIN, f32::NEG_INFINITY])) {
            assert!(sigmoid < 1e-37);
            assert!((tanh + 1.0).abs() <= 0.0, "{tanh}");
        }
    }
}

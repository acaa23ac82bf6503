//! The quantile function of the standard normal distribution.

/// Polynomials of numerator and denominator, highest power first.
type Ratio = [[f64; 8]; 2];

#[expect(clippy::excessive_precision, reason = "the coefficients stand as they were published")]
const CENTRE: Ratio = [
    [
        2.509_080_928_730_122_672_7e+3,
        3.343_057_558_358_812_810_5e+4,
        6.726_577_092_700_870_085_3e+4,
        4.592_195_393_154_987_145_7e+4,
        1.373_169_376_550_946_112_5e+4,
        1.971_590_950_306_551_442_7e+3,
        1.331_416_678_917_843_774_5e+2,
        3.387_132_872_796_366_608_0e+0,
    ],
    [
        5.226_495_278_852_854_561_0e+3,
        2.872_908_573_572_194_267_4e+4,
        3.930_789_580_009_271_061_0e+4,
        2.121_379_430_158_659_586_7e+4,
        5.394_196_021_424_751_107_7e+3,
        6.871_870_074_920_579_083_0e+2,
        4.231_333_070_160_091_125_2e+1,
        1.0,
    ],
];
#[expect(clippy::excessive_precision, reason = "the coefficients stand as they were published")]
const SIDES: Ratio = [
    [
        7.745_450_142_783_414_076_40e-4,
        2.272_384_498_926_918_458_33e-2,
        2.417_807_251_774_506_117_70e-1,
        1.270_458_252_452_368_382_58e+0,
        3.647_848_324_763_204_605_04e+0,
        5.769_497_221_460_691_405_50e+0,
        4.630_337_846_156_545_295_90e+0,
        1.423_437_110_749_683_577_34e+0,
    ],
    [
        1.050_750_071_644_416_843_24e-9,
        5.475_938_084_995_344_946_00e-4,
        1.519_866_656_361_645_719_66e-2,
        1.481_039_764_274_800_745_90e-1,
        6.897_673_349_851_000_045_50e-1,
        1.676_384_830_183_803_849_40e+0,
        2.053_191_626_637_758_821_87e+0,
        1.0,
    ],
];
#[expect(clippy::excessive_precision, reason = "the coefficients stand as they were published")]
const TAILS: Ratio = [
    [
        2.010_334_399_292_288_132_65e-7,
        2.711_555_568_743_487_578_15e-5,
        1.242_660_947_388_078_438_60e-3,
        2.653_218_952_657_612_309_30e-2,
        2.965_605_718_285_048_912_30e-1,
        1.784_826_539_917_291_335_80e+0,
        5.463_784_911_164_114_369_90e+0,
        6.657_904_643_501_103_777_20e+0,
    ],
    [
        2.044_263_103_389_939_785_64e-15,
        1.421_511_758_316_445_888_70e-7,
        1.846_318_317_510_054_681_80e-5,
        7.868_691_311_456_132_591_00e-4,
        1.487_536_129_085_061_485_25e-2,
        1.369_298_809_227_358_053_10e-1,
        5.998_322_065_558_879_376_90e-1,
        1.0,
    ],
];

/// The value below which a standard normal number lies with probability `p`, between 0 and 1; exact
/// to about 16 digits.
///
/// Source: Wichura (1988), "Algorithm AS 241: The Percentage Points of the Normal Distribution",
/// with the coefficients of Python's `statistics.NormalDist.inv_cdf`.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let distance = if r <= 5.0 { ratio(&SIDES, r - 1.6) } else { ratio(&TAILS, r - 5.0) };
    distance.copysign(q)
}

fn ratio([numerator, denominator]: &Ratio, x: f64) -> f64 {
    let value = |coefficients: &[f64; 8]| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    value(numerator) / value(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_pythons_normal_distribution() {
        // Python 3.11: statistics.NormalDist().inv_cdf(p).
        for (p, expected) in [
            (0.5, 0.0),
            (0.1, -1.281_551_565_544_600_4),
            (0.9, 1.281_551_565_544_600_4),
            (0.975, 1.959_963_984_540_053_8),
            (0.001, -3.090_232_306_167_813),
            (1e-12, -7.034_483_825_301_131),
        ] {
            assert!((normal_quantile(p) - expected).abs() < 1e-12, "{p}: {}", normal_quantile(p));
        }
    }
}

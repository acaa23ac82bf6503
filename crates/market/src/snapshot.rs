//! A fingerprint of the bars that a model was trained on.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::bar::Bar;
use crate::price::Price;
use crate::validate::ValidatedBars;

/// SHA-256, in lower-case hexadecimal, of all accepted bars and the breaks between them.
///
/// Two sets of series have the same fingerprint exactly when they hold the same bars: the order of
/// `series` and everything in the quality reports besides the breaks is left out.
///
/// The bytes hashed are a version tag, then for each series by symbol and interval: both as text
/// with a zero byte after each, the number of bars, and for each bar the second it opened, four
/// prices in units of 0.0001 TRY, the bits of the adjusted close, the volume, and a byte of flags
/// (1 adjusted close known, 2 volume known, 4 continues from the bar before). Integers are eight
/// bytes, little-endian; what is not known is zero (an open of zero is no price).
pub fn snapshot_hash(series: &[ValidatedBars]) -> String {
    let mut ordered: Vec<_> = series.iter().collect();
    ordered.sort_by_key(|bars| (bars.symbol(), bars.interval()));
    let mut hasher = Sha256::new();
    hasher.update(b"bist-bars-1\0");
    for bars in ordered {
        hasher.update(bars.symbol().as_str());
        hasher.update([0]);
        hasher.update(bars.interval().to_string());
        hasher.update([0]);
        hasher.update(u64::try_from(bars.bars().len()).unwrap_or(u64::MAX).to_le_bytes());
        for (index, bar) in bars.bars().iter().enumerate() {
            hash_bar(&mut hasher, bar, bars.continues(index));
        }
    }
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// One bar's bytes.
fn hash_bar(hasher: &mut Sha256, bar: &Bar, continues: bool) {
    hasher.update(bar.opened_at.as_second().to_le_bytes());
    for price in [bar.open, Some(bar.high), Some(bar.low), Some(bar.close)] {
        hasher.update(price.map_or(0, Price::units).to_le_bytes());
    }
    hasher.update(bar.adjusted_close.unwrap_or_default().to_bits().to_le_bytes());
    hasher.update(bar.volume.unwrap_or_default().0.to_le_bytes());
    let flags = u8::from(bar.adjusted_close.is_some())
        | u8::from(bar.volume.is_some()) << 1
        | u8::from(continues) << 2;
    hasher.update([flags]);
}

//! Which source is believed when several say something of one thing that happened once.

use bist_market::Source;

/// The place of `source` among those that name the same event or fact, the most believed first.
///
/// İş Yatırım lists events with their kind, the bulletin marks their day, files are what the user
/// chose to bring, and Yahoo knows every change of the number of shares as a split only.
pub(crate) fn rank(source: Source) -> (u8, Source) {
    let place = match source {
        Source::ISYATIRIM => 0,
        Source::BULLETIN => 1,
        Source::YAHOO => 3,
        _ => 2,
    };
    (place, source)
}

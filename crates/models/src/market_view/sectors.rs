//! How strong the sectors are against the market.

use std::collections::BTreeMap;

use super::breadth::Breadth;
use super::standing::{CHANGE_SESSIONS, Standing};
use super::{mean, median};

/// What the shares of a sector did over some sessions, each counting alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SectorWindow {
    /// How many sessions.
    pub sessions: u32,
    /// Shares of which the change is known.
    pub known_count: usize,
    /// The mean of their changes, each counting alike whatever it is worth; a share.
    pub mean_share: Option<f64>,
    /// The change in the middle.
    pub median_share: Option<f64>,
    /// What the mean is above what the market did.
    pub relative_share: Option<f64>,
}

/// The shares of one sector.
#[derive(Clone, Debug, PartialEq)]
pub struct SectorStrength {
    /// Its name; `None` for the shares of which no source names one.
    pub sector: Option<String>,
    /// How many shares stand on the day.
    pub members_count: usize,
    /// One for each of [`CHANGE_SESSIONS`].
    pub windows: [SectorWindow; CHANGE_SESSIONS.len()],
    /// How many of them go along.
    pub breadth: Breadth,
}

/// The sectors of `shares` by name, those without one last; `market` did what is known of it over
/// each of [`CHANGE_SESSIONS`].
pub fn sector_strength<'a>(
    shares: impl IntoIterator<Item = (Option<&'a str>, &'a Standing)>,
    market: &[Option<f64>; CHANGE_SESSIONS.len()],
) -> Vec<SectorStrength> {
    let mut by_name: BTreeMap<(bool, Option<&str>), Vec<&Standing>> = BTreeMap::new();
    for (sector, standing) in shares {
        by_name.entry((sector.is_none(), sector)).or_default().push(standing);
    }
    let of_sector = |((_, sector), members): ((bool, Option<&str>), Vec<&Standing>)| {
        let windows = std::array::from_fn(|index| {
            let changes: Vec<f64> =
                members.iter().filter_map(|standing| standing.changes[index]).collect();
            let mean_share = mean(&changes);
            SectorWindow {
                sessions: CHANGE_SESSIONS[index],
                known_count: changes.len(),
                mean_share,
                relative_share: mean_share.zip(market[index]).map(|(mean, market)| mean - market),
                median_share: median(changes),
            }
        });
        SectorStrength {
            sector: sector.map(str::to_owned),
            members_count: members.len(),
            windows,
            breadth: Breadth::of(members),
        }
    };
    by_name.into_iter().map(of_sector).collect()
}

#[cfg(test)]
mod tests {
    use super::super::breadth::tests::share;
    use super::*;

    #[test]
    fn a_sector_is_the_mean_of_what_is_known_and_none_is_a_group_of_its_own() {
        let shares = [
            share("A1", Some(0.01), Some(0.10), None),
            share("A2", Some(0.02), Some(0.40), None),
            share("A3", Some(-0.02), Some(0.10), None),
            share("A4", None, None, None),
            share("Z1", Some(0.05), None, None),
        ];
        let sector = [Some("Bank"), Some("Bank"), Some("Bank"), Some("Bank"), None];
        let market = [Some(0.01), None, Some(0.15), None, None, None];
        let sectors = sector_strength(sector.into_iter().zip(&shares), &market);
        let names: Vec<_> = sectors.iter().map(|sector| sector.sector.as_deref()).collect();
        assert_eq!(names, [Some("Bank"), None]);
        let month = sectors[0].windows[2];
        assert_eq!((sectors[0].members_count, month.known_count), (4, 3));
        assert!((month.mean_share.unwrap() - 0.2).abs() < 1e-12);
        assert!((month.median_share.unwrap() - 0.1).abs() < 1e-12);
        assert!((month.relative_share.unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(sectors[0].windows[1].relative_share, None);
        assert_eq!(sectors[1].windows[2].mean_share, None);
        assert_eq!(sectors[0].breadth.advancers_count, 2);
    }
}

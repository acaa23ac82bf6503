//! İş Yatırım: daily prices as traded and corporate actions, a share at a time.

mod actions;
pub mod actions_csv;
mod json;
mod prices;

pub use actions::parse_sermaye;
pub use prices::parse_hisse_tekil;

//! İş Yatırım: daily prices as traded and corporate actions, a share at a time.

mod actions;
pub mod actions_csv;
mod adjustment;
mod json;
mod prices;
mod provider;

pub use actions::parse_sermaye;
pub use adjustment::adjustment_changed;
pub use prices::parse_hisse_tekil;
pub use provider::IsYatirimProvider;

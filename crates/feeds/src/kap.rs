//! Announcements of companies on the public disclosure platform (KAP).

mod codes;
mod official;
mod site;

pub use official::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
};
pub use site::parse_site_disclosures;

/// One sentence about codes that are no symbols of shares.
fn note_of_codes(codes: &[String]) -> Option<String> {
    let first = codes.first()?;
    Some(format!(
        "{} codes are no symbols of shares and were left out, such as '{first}'",
        codes.len()
    ))
}

//! From when until when a certificate is good.

use jiff::Timestamp;
use yasna::tags::{TAG_GENERALIZEDTIME, TAG_UTCTIME};
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag};

/// From when until when a certificate is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first instant.
    pub not_before: Timestamp,
    /// The last one.
    pub not_after: Timestamp,
}

impl Validity {
    /// Reads it out of a certificate in DER form, as RFC 5280 lays it out; `None` when it is none.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let of_whole = |reader: BERReader<'_, '_>| {
            reader.read_sequence(|parts| {
                let validity = parts.next().read_sequence(of_signed)?;
                skip_rest(parts)?;
                Ok(validity)
            })
        };
        yasna::parse_der(certificate, of_whole).ok()
    }

    /// When another one is to be had: when a third of its time is left.
    pub fn renew_at(self) -> Timestamp {
        let third = self.not_after.duration_since(self.not_before) / 3;
        self.not_after.saturating_sub(third).unwrap_or(self.not_after)
    }
}

/// Out of the part that is signed: version, number, algorithm, issuer, validity, and more.
fn of_signed(parts: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Validity> {
    parts.read_optional(|version| {
        version.read_tagged(Tag::context(0), |number| number.read_der())
    })?;
    for _ in ["number", "algorithm", "issuer"] {
        parts.next().read_der()?;
    }
    let validity = parts.next().read_sequence(|times| {
        Ok(Validity { not_before: instant(times.next())?, not_after: instant(times.next())? })
    })?;
    skip_rest(parts)?;
    Ok(validity)
}

fn skip_rest(parts: &mut BERReaderSeq<'_, '_>) -> ASN1Result<()> {
    while parts.read_optional(|part| part.read_tagged_der())?.is_some() {}
    Ok(())
}

/// An instant in one of the two forms that certificates have.
fn instant(reader: BERReader<'_, '_>) -> ASN1Result<Timestamp> {
    let second = match reader.lookahead_tag()? {
        TAG_UTCTIME => reader.read_utctime()?.datetime().unix_timestamp(),
        TAG_GENERALIZEDTIME => reader.read_generalized_time()?.datetime().unix_timestamp(),
        _ => return Err(ASN1Error::new(ASN1ErrorKind::Invalid)),
    };
    Timestamp::from_second(second).map_err(|_| ASN1Error::new(ASN1ErrorKind::Invalid))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn validity(from: (i32, u8, u8), until: (i32, u8, u8)) -> Validity {
        let mut params = CertificateParams::new(["bist.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Validity::of(certificate.der()).unwrap()
    }

    #[test]
    fn the_time_of_a_certificate_is_read_in_both_of_its_forms() {
        // From 2050 on the year has four digits.
        let read = validity((2026, 11, 29), (2050, 1, 2));
        assert_eq!(read.not_before, "2026-11-29T00:00:00Z".parse().unwrap());
        assert_eq!(read.not_after, "2050-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(Validity::of(b""), None);
        assert_eq!(Validity::of(&[0x30, 0x80, 0, 0]), None);
    }

    #[test]
    fn another_certificate_is_due_when_a_third_of_the_time_is_left() {
        let ninety_days = validity((2026, 1, 1), (2026, 4, 1));
        assert_eq!(ninety_days.renew_at(), "2026-03-02T00:00:00Z".parse().unwrap());
    }
}

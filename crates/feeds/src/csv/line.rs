//! One line of delimited text and its fields.
//!
//! Stricter than a general reader of such text: a damaged quotation is an error and never a price.
//! Why no library does this here stands in docs/adr/0002-dependencies.md.

use std::borrow::Cow;

/// A quotation mark without its partner, or with text behind the partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenQuote;

/// The delimiter of a header: of `;`, tab, `|` and `,` the most frequent one outside quotes.
pub(crate) fn delimiter_of(header: &str) -> char {
    let mut counts = [(';', 0_usize), ('\t', 0), ('|', 0), (',', 0)];
    let mut quoted = false;
    for c in header.chars() {
        quoted ^= c == '"';
        if let Some((_, count)) = counts.iter_mut().find(|(d, _)| !quoted && *d == c) {
            *count += 1;
        }
    }
    // The first of the most frequent ones: a semicolon file may have commas in its names.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(',', |(delimiter, _)| *delimiter)
}

/// Splits a line into trimmed fields, replacing what `fields` held. A field in quotation marks may
/// hold the delimiter, and a doubled mark for a mark; it ends on its own line.
pub(crate) fn split<'a>(
    line: &'a str,
    delimiter: char,
    fields: &mut Vec<Cow<'a, str>>,
) -> Result<(), OpenQuote> {
    fields.clear();
    if !line.contains('"') {
        fields.extend(line.split(delimiter).map(|field| Cow::Borrowed(field.trim())));
        return Ok(());
    }
    let mut rest = line;
    loop {
        let (field, behind) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                (Cow::Borrowed(rest[..end].trim()), &rest[end..])
            }
        };
        fields.push(field);
        match behind.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(()),
            None => return Err(OpenQuote),
        }
    }
}

/// The field up to its closing mark, and what stands behind it.
fn quoted(inside: &str) -> Result<(Cow<'_, str>, &str), OpenQuote> {
    let mut from = 0;
    let mut doubled = false;
    while let Some(at) = inside[from..].find('"').map(|at| from + at) {
        if inside[at + 1..].starts_with('"') {
            doubled = true;
            from = at + 2;
            continue;
        }
        let field = inside[..at].trim();
        let field =
            if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { Cow::Borrowed(field) };
        return Ok((field, inside[at + 1..].trim_start_matches(' ')));
    }
    Err(OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, delimiter: char, expected: Result<&[&str], OpenQuote>) {
        let mut fields = Vec::new();
        let actual = split(line, delimiter, &mut fields).map(|()| fields);
        let actual = actual.as_ref().map(|fields| fields.iter().map(AsRef::as_ref).collect());
        assert_eq!(actual.map_err(|e| *e), expected.map(<[&str]>::to_vec));
    }

    #[test]
    fn fields_are_trimmed_and_quotes_removed() {
        check("a, b ,c", ',', Ok(&["a", "b", "c"]));
        check("a,b,", ',', Ok(&["a", "b", ""]));
        check(r#""1,5","a ""b""",c"#, ',', Ok(&["1,5", r#"a "b""#, "c"]));
        check(r#" "a" ;"b";"""#, ';', Ok(&["a", "b", ""]));
        check(r#"x"y,z"#, ',', Ok(&[r#"x"y"#, "z"]));
    }

    #[test]
    fn a_quote_without_its_partner_is_refused() {
        check(r#""a,b"#, ',', Err(OpenQuote));
        check(r#""a"b,c"#, ',', Err(OpenQuote));
        check(r#"a,""#, ',', Err(OpenQuote));
    }

    #[test]
    fn the_most_frequent_delimiter_is_the_one() {
        assert_eq!(delimiter_of("Tarih;Açılış;Hacim, lot"), ';');
        assert_eq!(delimiter_of("a\tb\tc"), '\t');
        assert_eq!(delimiter_of("a|b"), '|');
        assert_eq!(delimiter_of("\"a;b;c\",d"), ',');
    }
}

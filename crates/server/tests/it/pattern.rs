//! Whether a text is what a pattern of the OpenAPI document says, as far as our patterns go: classes,
//! groups, alternatives and repetitions, from the beginning of the text to its end.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Chars;

/// One of several sequences.
type Alternatives = Vec<Vec<Repeated>>;

/// Something that is there so many times.
struct Repeated {
    what: What,
    least: usize,
    most: Option<usize>,
}

enum What {
    /// One character of these ranges.
    One(Vec<(char, char)>),
    Group(Alternatives),
}

/// Whether all of `text` is what `pattern` says.
#[track_caller]
pub(crate) fn is_match(pattern: &str, text: &str) -> bool {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let inner = inner.unwrap_or_else(|| panic!("{pattern} is not about all of a text"));
    let mut rest = inner.chars().peekable();
    let parsed = alternatives(&mut rest);
    assert!(rest.next().is_none(), "{pattern} has an end that is none");
    let text: Vec<char> = text.chars().collect();
    ends(&parsed, &text, &BTreeSet::from([0])).contains(&text.len())
}

fn alternatives(rest: &mut Peekable<Chars<'_>>) -> Alternatives {
    let mut all = vec![Vec::new()];
    while let Some(next) = rest.next_if(|next| *next != ')') {
        let what = match next {
            '|' => {
                all.push(Vec::new());
                continue;
            }
            '(' => {
                let group = alternatives(rest);
                assert_eq!(rest.next(), Some(')'));
                What::Group(group)
            }
            '[' => What::One(class(rest)),
            '\\' | '.' | '^' | '$' => panic!("'{next}' is not known here"),
            one => What::One(vec![(one, one)]),
        };
        let (least, most) = repetitions(rest);
        all.last_mut().unwrap().push(Repeated { what, least, most });
    }
    all
}

/// The ranges of a class, whose bracket was read; a hyphen at its beginning or end is one.
fn class(rest: &mut Peekable<Chars<'_>>) -> Vec<(char, char)> {
    let chars: Vec<char> = rest.by_ref().take_while(|next| *next != ']').collect();
    assert_ne!(chars.first(), Some(&'^'), "what a class is not is not known here");
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if let [first, '-', last, ..] = chars[at..] {
            ranges.push((first, last));
            at += 3;
        } else {
            ranges.push((chars[at], chars[at]));
            at += 1;
        }
    }
    ranges
}

/// How often what was read last is there.
fn repetitions(rest: &mut Peekable<Chars<'_>>) -> (usize, Option<usize>) {
    let Some(mark) = rest.next_if(|next| matches!(next, '?' | '*' | '+' | '{')) else {
        return (1, Some(1));
    };
    match mark {
        '?' => (0, Some(1)),
        '*' => (0, None),
        '+' => (1, None),
        _ => {
            let text: String = rest.by_ref().take_while(|next| *next != '}').collect();
            let (least, most) = text.split_once(',').unwrap_or((&text, &text));
            (least.parse().unwrap(), Some(most.parse().unwrap()))
        }
    }
}

/// Where in `text` one of `alternatives` may end that begins in one of `begins`.
fn ends(
    alternatives: &[Vec<Repeated>],
    text: &[char],
    begins: &BTreeSet<usize>,
) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    for sequence in alternatives {
        let mut places = begins.clone();
        for repeated in sequence {
            places = ends_of(repeated, text, places);
        }
        all.append(&mut places);
    }
    all
}

fn ends_of(repeated: &Repeated, text: &[char], begins: BTreeSet<usize>) -> BTreeSet<usize> {
    let Repeated { what, least, most } = repeated;
    let mut found = if *least == 0 { begins.clone() } else { BTreeSet::new() };
    let mut places = begins;
    // Each time takes a character at least.
    for time in 1..=most.unwrap_or(text.len()) {
        places = match what {
            What::Group(group) => ends(group, text, &places),
            What::One(ranges) => {
                let is_in = |place: &usize| {
                    let is_of =
                        |c: &char| ranges.iter().any(|(first, last)| (first..=last).contains(&c));
                    text.get(*place).is_some_and(is_of)
                };
                places.into_iter().filter(is_in).map(|place| place + 1).collect()
            }
        };
        if places.is_empty() {
            break;
        }
        if time >= *least {
            found.extend(&places);
        }
    }
    found
}

#[test]
fn what_a_pattern_does_not_say_is_found() {
    let cursor = "^before-[0-9]{1,3}-[a-z][0-9a-f]{1,2}$";
    let list = "^-?(a|b[.]c)(,-?(a|b[.]c)){0,2}$";
    for (pattern, text, expected) in [
        (cursor, "before-123-n17", true),
        (cursor, "before-1234-n17", false),
        (cursor, "before-123-n", false),
        (list, "-a,b.c,a", true),
        (list, "a,a,a,a", false),
        (list, "bxc", false),
        ("^[a-z0-9-]+$", "a-1", true),
        ("^[a-z0-9-]+$", "", false),
        ("^(/|(/[a-z]+)+)$", "/a/b", true),
        ("^(/|(/[a-z]+)+)$", "/a/", false),
        ("^x*y?$", "xxx", true),
        ("^[!-~ ]{1,9}$", "a b", true),
    ] {
        assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
    }
}

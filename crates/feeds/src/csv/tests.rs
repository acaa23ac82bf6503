//! Both ways of reading a row agree, on sound files and on damaged ones.

use std::io::Cursor;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Reads `text` in both ways and demands the same answer; whether it was read.
#[track_caller]
fn both(name: &str, bytes: &[u8]) -> bool {
    let file = Path::new(name);
    let pieces = |length| Pieces::new(Cursor::new(bytes), length);
    let whole = bytes.len() + 1;
    let fast = parse(file, pieces(whole), PlainReader::of);
    let careful = parse(file, pieces(whole), |_, _| None);
    // As text, for a number that is NaN would not be equal to itself.
    assert_eq!(format!("{fast:?}"), format!("{careful:?}"), "{:?}", bytes.escape_ascii());
    for length in [1, 40, bytes.len() / 3] {
        let read = parse(file, pieces(length), PlainReader::of);
        // Of several faults, another may come first.
        if fast.is_ok() || read.is_ok() {
            assert_eq!(format!("{read:?}"), format!("{fast:?}"), "{:?}", bytes.escape_ascii());
        }
    }
    fast.is_ok()
}

/// How a file is written.
#[derive(Clone, Debug)]
struct Writing {
    delimiter: char,
    mark: char,
    decimals: usize,
    day_first: bool,
    line_end: &'static str,
    symbols: &'static [&'static str],
    adjusted: bool,
    /// With a column of words that is not used.
    noted: bool,
    /// Sorted by day, not by symbol.
    by_day: bool,
    time: &'static str,
}

fn writing() -> impl Strategy<Value = Writing> {
    let style = (0..3_usize, 0..9_usize, any::<bool>(), any::<bool>());
    let shape = (0..4_usize, any::<bool>(), any::<bool>(), any::<bool>(), 0..6_usize);
    (style, shape).prop_map(
        |((style, decimals, day_first, crlf), (symbols, adjusted, noted, by_day, time))| {
            let (delimiter, mark) = [(',', '.'), (';', ','), ('\t', '.')][style];
            Writing {
                delimiter,
                mark,
                decimals,
                day_first,
                line_end: if crlf { "\r\n" } else { "\n" },
                symbols: [
                    &[][..],
                    &["THYAO"],
                    &["THYAO.IS", "AKBNK.IS", "thyao"],
                    &["A1CAP", "ISCTR.E", "ASELSAN12345"],
                ][symbols],
                adjusted,
                noted,
                by_day,
                time: ["", "", "", " 10:00", "T00:00:00", " 00:00:00+03:00"][time],
            }
        },
    )
}

impl Writing {
    fn price(&self, units: i64) -> String {
        let digits = format!("{:0>width$}", units, width = self.decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - self.decimals);
        if part.is_empty() { whole.to_owned() } else { format!("{whole}{}{part}", self.mark) }
    }

    fn file(&self, rows: &[(i64, i64)]) -> String {
        let mut header = vec!["date", "open", "high", "low", "close", "volume"];
        if !self.symbols.is_empty() {
            header.insert(0, "symbol");
        }
        if self.adjusted {
            header.push("adj_close");
        }
        if self.noted {
            header.push("mood");
        }
        let mut text = header.join(&self.delimiter.to_string()) + self.line_end;
        let symbols = if self.symbols.is_empty() { &[""][..] } else { self.symbols };
        for index in 0..rows.len() * symbols.len() {
            let (symbol, row) = if self.by_day {
                (index % symbols.len(), index / symbols.len())
            } else {
                (index / rows.len(), index % rows.len())
            };
            let (units, volume) = rows[row];
            let (year, month, day) = (2020 + row / 336, row / 28 % 12 + 1, row % 28 + 1);
            let date = if self.day_first {
                format!("{day:02}.{month:02}.{year}")
            } else {
                format!("{year}-{month:02}-{day:02}")
            };
            let mut cells = vec![format!("{date}{}", self.time)];
            if !self.symbols.is_empty() {
                cells.insert(0, symbols[symbol].to_owned());
            }
            cells.extend([0, 1, 2, 3].map(|more| self.price(units + more)));
            cells.push(volume.to_string());
            if self.adjusted {
                cells.push(if units % 3 == 0 { String::new() } else { self.price(units / 2) });
            }
            if self.noted {
                cells.push("fine".to_owned());
            }
            text += &(cells.join(&self.delimiter.to_string()) + self.line_end);
        }
        text
    }
}

/// One change of a file.
#[derive(Clone, Debug)]
enum Damage {
    /// This byte, with the eighth bit left alone, there.
    Byte(u8),
    /// These words put in.
    Words(&'static str),
    /// The next so many bytes taken out.
    Gap(usize),
    /// The next line said once more.
    Again,
    /// Cut off there.
    Cut,
}

fn damage() -> impl Strategy<Value = Damage> {
    const WORDS: [&str; 26] = [
        "",
        "nan",
        "-",
        "\"",
        "\"\"",
        ",",
        ";",
        ".",
        "\n",
        "\r",
        "\r\n",
        " ",
        "\u{a0}",
        "é",
        "0",
        "9",
        "-5",
        "e3",
        "1e300",
        "123456789012345",
        "1.5",
        "1,5",
        "Toplam",
        "2024-02-30",
        "01/02/2024",
        "/",
    ];
    prop_oneof![
        any::<u8>().prop_map(|byte| Damage::Byte(byte & 0x7f)),
        (0..WORDS.len()).prop_map(|word| Damage::Words(WORDS[word])),
        (1..12_usize).prop_map(Damage::Gap),
        Just(Damage::Again),
        Just(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[(prop::sample::Index, Damage)]) -> Vec<u8> {
    for (at, damage) in damages {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match damage {
            Damage::Byte(byte) => bytes[at] = *byte,
            Damage::Words(words) => drop(bytes.splice(at..at, words.bytes())),
            Damage::Gap(length) => drop(bytes.drain(at..(at + length).min(bytes.len()))),
            Damage::Again => {
                let begin = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |nl| nl + 1);
                let end = bytes[at..].iter().position(|b| *b == b'\n').map(|nl| at + nl + 1);
                let line = bytes[begin..end.unwrap_or(bytes.len())].to_vec();
                bytes.splice(begin..begin, line);
            }
            Damage::Cut => bytes.truncate(at),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_sound_file_is_read_alike_in_both_ways(
        writing in writing(),
        rows in prop::collection::vec((1..30_000_000_i64, 0..9_000_000_000_i64), 2..40),
    ) {
        let readable = both("THYAO.csv", writing.file(&rows).as_bytes());
        // Three decimals may be thousands.
        prop_assert!(readable || writing.decimals == 3);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_alike_in_both_ways(
        writing in writing(),
        rows in prop::collection::vec((1..30_000_000_i64, 0..9_000_000_000_i64), 2..12),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..4),
    ) {
        both("THYAO.csv", &damaged(writing.file(&rows).into_bytes(), &damages));
    }
}

#[test]
fn plain_rows_are_read_as_such_and_any_other_is_left_where_it_stands() {
    let text = "symbol,date,open,high,low,close,volume\n\
        THYAO,2024-03-01,1.5,1.5,1.5,1.5,10\n\
        THYAO,2024-03-04,1.5,1.96582099,1.5,1.5,\n\
        THYAO,\"2024-03-05\",1.5,1.5,1.5,1.5,10\n\
        THYAO,2024-03-06,1.5,1.5,1.5,1.5,10\n";
    let table = Table::of(text).unwrap();
    let style = table.style(true).unwrap().unwrap();
    let careful = CarefulReader { file: Path::new("x.csv"), table: &table, style, symbol: None };
    let mut rows = Rows::default();
    let mut plain = PlainReader::of(&careful, &mut rows).unwrap();
    let mut lines = table.lines();
    plain.read(&mut lines, &mut rows);
    assert_eq!(lines.number, 4, "the quoted row is the careful reader's");
    assert!(lines.next().unwrap().text.contains('"'));
    plain.read(&mut lines, &mut rows);
    assert_eq!(lines.number, 6);
}

#[test]
fn files_of_the_tests_are_read_alike_in_both_ways() {
    let mut readable = 0;
    for text in [
        "date,open,high,low,close\n2024-03-05,1.5,1.5,1.5,1.5\n2024-03-04,1.5,1.5,1.5,1.5\n2024-03-04,1.50,1.5,1.5,1.5\n2024-03-01,1.5,1.5,1.5,1.5\n2024-03-01,1.5,1.5,1.5,1.6\n2024-03-01,1.5,1.5,1.5,1.5\n",
        "date,open,high,low,close,mood\n2024-03-05,1.5,1.5,1.5,1.5,fine\n2024-03-06,1.5,1.5,1.5,1.5,\"so, so\"\n",
        "date,open,high,low,close,\n2024-03-05,1.5,1.5,1.5,1.5,\n2024-03-06,1.5,1.5,1.5\n",
        "symbol,date,open,high,low,close\nTHYAO,2024-03-05 10:00,,1.5,1.5,1.5\nTHYAO,2024-03-05,1.5,1.5,1.5,1.5\n",
        "date,open,high,low,close\n\n2024-03-05,1.5,1.5,1.5,1.5\r\n,,,,\n2024-03-06,1.5,1.5,1.5,1.5",
    ] {
        readable += usize::from(both("THYAO.csv", text.as_bytes()));
    }
    assert_eq!(readable, 4, "the last row of the third is too short");
}

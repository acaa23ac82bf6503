//! The real prices beside the repository: nothing of them is lost on the way.

mod answer_key;
mod evidence;

use bist_feeds::{FileFormat, FileNote, discover, read_csv};

use crate::real_prices;

#[test]
fn every_line_of_the_real_files_is_a_bar_or_refused() {
    let Some(folder) = real_prices() else { return };
    let mut rows = 0;
    for (part, interval) in
        [("daily", "1d"), ("daily_recent", "1d"), ("index", "1d"), ("intraday", "60m")]
    {
        let files = discover(folder.join(part).to_str().unwrap(), FileFormat::Csv).unwrap();
        assert!(!files.is_empty());
        for file in files {
            let read = read_csv(&file).unwrap_or_else(|error| panic!("{error}"));
            let lines = std::fs::read_to_string(&file).unwrap().lines().count() as u64 - 1;
            assert_eq!(read.rows_read, lines, "{}", file.display());
            assert_eq!(read.bars_count() + read.refused.len(), usize::try_from(lines).unwrap());
            if lines == 0 {
                assert_eq!(read.notes, [FileNote::EmptyFile]);
            } else {
                let stem = file.file_stem().unwrap().to_str().unwrap();
                let symbol = stem.split('_').next().unwrap();
                assert_eq!(read.series.len(), 1);
                assert_eq!(read.series[0].symbol.as_str(), symbol);
                assert_eq!(read.series[0].interval.to_string(), interval, "{}", file.display());
            }
            rows += lines;
        }
    }
    println!("{rows} rows");
}

#[test]
fn the_rows_known_to_lack_a_price_are_the_ones_refused() {
    let Some(folder) = real_prices() else { return };
    let defects = std::fs::read_to_string(folder.join("defects.csv")).unwrap();
    let mut expected: Vec<(String, String)> = defects
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(',');
            let (file, day, kind) = (fields.next()?, fields.next()?, fields.next()?);
            (kind == "MISSING_FIELD").then(|| (file.to_owned(), day.to_owned()))
        })
        .filter(|(file, _)| folder.join(file).is_file())
        .collect();
    expected.sort();
    expected.dedup();
    let mut actual = Vec::new();
    for part in ["daily", "daily_recent", "index", "intraday"] {
        for file in discover(folder.join(part).to_str().unwrap(), FileFormat::Csv).unwrap() {
            let name = format!("{part}/{}", file.file_name().unwrap().to_str().unwrap());
            let refused = read_csv(&file).unwrap().refused;
            actual.extend(refused.iter().map(|row| (name.clone(), row.day.unwrap().to_string())));
        }
    }
    actual.sort();
    assert_eq!(actual, expected);
}

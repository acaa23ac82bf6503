//! Recognising what the columns of a file mean from their names, in English and Turkish.

use std::collections::BTreeMap;
use std::path::Path;

use bist_market::{Interval, Symbol, SymbolError};

use crate::error::Fault;
use crate::rows::shortened;

/// Where in a row the cells of one symbol stand, as indices of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cells {
    /// The symbol, when the header says it.
    pub(crate) symbol: Option<Symbol>,
    pub(crate) open: usize,
    pub(crate) high: usize,
    pub(crate) low: usize,
    pub(crate) close: usize,
    pub(crate) adjusted_close: Option<usize>,
    pub(crate) volume: Option<usize>,
}

impl Cells {
    /// The four prices, each with its name.
    pub(crate) fn prices(&self) -> [(&'static str, usize); 4] {
        [("open", self.open), ("high", self.high), ("low", self.low), ("close", self.close)]
    }

    /// Every column with numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.prices().into_iter().map(|(_, c)| c).chain(self.adjusted_close).chain(self.volume)
    }
}

/// What each column of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) date: usize,
    /// A time of day beside the date.
    pub(crate) time: Option<usize>,
    pub(crate) symbol: Option<usize>,
    /// One for most files, one a symbol when symbols stand side by side.
    pub(crate) cells: Vec<Cells>,
    /// The names, for messages.
    pub(crate) names: Vec<String>,
    /// Names that we do not know.
    pub(crate) ignored: Vec<String>,
}

/// The meaning of a column name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Date,
    Time,
    Symbol,
    Open,
    High,
    Low,
    Close,
    AdjustedClose,
    Volume,
    /// Known, and not needed: changes, turnover, dividends.
    Other,
}

impl Meaning {
    const fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Time => "time",
            Self::Symbol => "symbol",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::AdjustedClose => "adjusted close",
            Self::Volume => "volume",
            Self::Other => "something else",
        }
    }
}

/// How sure a name is: of two columns that could be the close, `Kapanış` beats `Son`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Sure(Meaning),
    Perhaps(Meaning),
    Unknown,
}

impl Layout {
    /// Recognises a header of one line.
    pub(crate) fn recognise(names: &[&str]) -> Result<Self, Fault> {
        let (columns, ignored) = resolve(names, &Vec::from_iter(0..names.len()))?;
        let cells = complete(&columns, names, None)?;
        Ok(Self {
            date: columns[&Meaning::Date],
            time: columns.get(&Meaning::Time).copied(),
            symbol: columns.get(&Meaning::Symbol).copied(),
            cells: vec![cells],
            names: names.iter().map(|&name| name.to_owned()).collect(),
            ignored,
        })
    }

    /// Recognises a header whose columns each have a name and a ticker, as Yahoo's downloads do;
    /// the first column is the date.
    ///
    /// `None` when the two lines are not such a header.
    pub(crate) fn recognise_pairs(first: &[&str], second: &[&str]) -> Option<Result<Self, Fault>> {
        let are_names = |line: &[&str]| {
            line.len() > 1 && line[1..].iter().all(|cell| claim(cell) != Claim::Unknown)
        };
        let is_corner =
            |cell: &str| matches!(fold(cell).as_str(), "" | "ticker" | "tickers" | "symbol");
        let are_tickers = |line: &[&str]| {
            line.len() > 1
                && is_corner(line[0])
                && line[1..].iter().all(|cell| Symbol::parse(cell).is_ok())
        };
        let (names, tickers) = if first.len() != second.len() {
            return None;
        } else if are_names(first) && are_tickers(second) {
            (first, second)
        } else if are_tickers(first) && are_names(second) {
            (second, first)
        } else {
            return None;
        };
        let pairs: Vec<(&str, &str)> = names.iter().copied().zip(tickers.iter().copied()).collect();
        Some(Self::of_pairs(&pairs, 0))
    }

    /// Recognises the names that pandas gives to such pairs in Parquet: `('Close', 'THYAO.IS')`.
    ///
    /// `None` when no column has such a name.
    pub(crate) fn recognise_tuples(names: &[&str]) -> Option<Result<Self, Fault>> {
        let pairs: Vec<(&str, &str)> = names
            .iter()
            .map(|name| match tuple(name) {
                Some((ticker, name)) if claim(ticker) == Claim::Unknown => (name, ticker),
                Some(pair) => pair,
                None => (*name, ""),
            })
            .collect();
        if pairs.iter().all(|(_, ticker)| ticker.is_empty()) {
            return None;
        }
        let dates = |wanted: fn(Meaning) -> Claim| {
            pairs.iter().position(|(name, _)| claim(name) == wanted(Meaning::Date))
        };
        let date = dates(Claim::Sure).or_else(|| dates(Claim::Perhaps));
        Some(match date {
            Some(date) => Self::of_pairs(&pairs, date),
            None => Err(missing_columns("date".to_owned(), names)),
        })
    }

    /// The layout of columns that each have a name and a ticker, with the dates in the column
    /// `date`.
    fn of_pairs(pairs: &[(&str, &str)], date: usize) -> Result<Self, Fault> {
        let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
        let mut groups: BTreeMap<Symbol, Vec<usize>> = BTreeMap::new();
        for (index, (_, ticker)) in pairs.iter().enumerate() {
            if index == date {
                continue;
            }
            let symbol = Symbol::parse(ticker).map_err(Fault::NoSymbol)?;
            groups.entry(symbol).or_default().push(index);
        }
        let mut cells = Vec::with_capacity(groups.len());
        for (symbol, indices) in &groups {
            let (mut columns, _) = resolve(&names, indices)?;
            columns.insert(Meaning::Date, date);
            cells.push(complete(&columns, &names, Some(*symbol))?);
        }
        let names = pairs
            .iter()
            .enumerate()
            .map(
                |(index, (name, ticker))| {
                    if index == date { "Date".to_owned() } else { format!("{name} {ticker}") }
                },
            )
            .collect();
        Ok(Self { date, time: None, symbol: None, cells, names, ignored: Vec::new() })
    }
}

/// Whether a line below a header of pairs only names the date column: `Date,,,`.
pub(crate) fn only_names_the_date(line: &[&str]) -> bool {
    let named = line.first().is_some_and(|cell| claim(cell) == Claim::Sure(Meaning::Date));
    named && line[1..].iter().all(|cell| cell.is_empty())
}

/// Whether a row closes a table instead of belonging to it: totals, averages, sources, notes.
pub(crate) fn is_footer(first_cell: &str) -> bool {
    const WORDS: [&str; 16] = [
        "total",
        "toplam",
        "average",
        "ortalama",
        "highest",
        "lowest",
        "enyuksek",
        "endusuk",
        "difference",
        "fark",
        "source",
        "kaynak",
        "note",
        "not",
        "sum",
        "geneltoplam",
    ];
    let (before_colon, _) = first_cell.split_once(':').unwrap_or((first_cell, ""));
    let word = fold(before_colon);
    WORDS.contains(&word.as_str())
}

/// The column of each meaning among those `wanted`, and the names not known.
fn resolve(
    names: &[&str],
    wanted: &[usize],
) -> Result<(BTreeMap<Meaning, usize>, Vec<String>), Fault> {
    let mut sure: BTreeMap<Meaning, usize> = BTreeMap::new();
    let mut perhaps: BTreeMap<Meaning, usize> = BTreeMap::new();
    let mut ignored = Vec::new();
    for &index in wanted {
        let name = names[index];
        let (claims, meaning) = match claim(name) {
            Claim::Sure(meaning) => (&mut sure, meaning),
            Claim::Perhaps(meaning) => (&mut perhaps, meaning),
            Claim::Unknown => {
                ignored.push(name.to_owned());
                continue;
            }
        };
        if meaning == Meaning::Other {
            continue;
        }
        if let Some(first) = claims.insert(meaning, index) {
            return Err(Fault::TwoColumns {
                field: meaning.name(),
                first: names[first].to_owned(),
                second: name.to_owned(),
            });
        }
    }
    // Yahoo's flattened tables call the date column "Price"; index columns have no name at all.
    let date_less = !sure.contains_key(&Meaning::Date) && !perhaps.contains_key(&Meaning::Date);
    let first = names.first().map(|name| fold(name));
    let nameless_date = match first.as_deref() {
        Some("price") => sure.contains_key(&Meaning::Close),
        Some("" | "unnamed0") => true,
        Some(_) | None => false,
    };
    if date_less && nameless_date && wanted.contains(&0) {
        sure.insert(Meaning::Date, 0);
    }
    for (meaning, index) in perhaps {
        sure.entry(meaning).or_insert(index);
    }
    // A column "Time" alone is the whole time stamp.
    if !sure.contains_key(&Meaning::Date)
        && let Some(time) = sure.remove(&Meaning::Time)
    {
        sure.insert(Meaning::Date, time);
    }
    ignored.retain(|name| !name.is_empty());
    Ok((sure, ignored))
}

fn complete(
    columns: &BTreeMap<Meaning, usize>,
    names: &[&str],
    symbol: Option<Symbol>,
) -> Result<Cells, Fault> {
    let needed = [Meaning::Date, Meaning::Open, Meaning::High, Meaning::Low, Meaning::Close];
    let missing: Vec<&str> =
        needed.iter().filter(|m| !columns.contains_key(m)).map(|m| m.name()).collect();
    if !missing.is_empty() {
        return Err(missing_columns(missing.join(", "), names));
    }
    Ok(Cells {
        symbol,
        open: columns[&Meaning::Open],
        high: columns[&Meaning::High],
        low: columns[&Meaning::Low],
        close: columns[&Meaning::Close],
        adjusted_close: columns.get(&Meaning::AdjustedClose).copied(),
        volume: columns.get(&Meaning::Volume).copied(),
    })
}

fn missing_columns(missing: String, names: &[&str]) -> Fault {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    Fault::MissingColumns { missing, seen: shortened(&quoted.join(", ")) }
}

/// The two texts of a Python tuple such as `('Close', 'THYAO.IS')`.
fn tuple(name: &str) -> Option<(&str, &str)> {
    let (first, second) = name.strip_prefix("('")?.strip_suffix("')")?.split_once("', '")?;
    Some((first, second))
}

fn claim(name: &str) -> Claim {
    use Claim::{Perhaps, Sure};
    let (bare, unit) = match name.split_once('(') {
        Some((bare, unit)) => (fold(bare), fold(unit)),
        None => (fold(name), String::new()),
    };
    match bare.as_str() {
        "date" | "datetime" | "timestamp" | "tarih" | "tarihsaat" | "islemtarihi"
        | "dtyyyymmdd" | "tradedate" => Sure(Meaning::Date),
        "indexlevel0" | "zaman" | "day" | "gun" | "index" => Perhaps(Meaning::Date),
        "time" | "saat" => Sure(Meaning::Time),
        "symbol" | "sembol" | "ticker" | "kod" | "hisse" | "hissekodu" | "islemkodu" | "code" => {
            Sure(Meaning::Symbol)
        }
        "open" | "acilis" | "acilisfiyati" | "openprice" => Sure(Meaning::Open),
        "high" | "yuksek" | "enyuksek" | "max" | "maks" | "highprice" => Sure(Meaning::High),
        "low" | "dusuk" | "endusuk" | "min" | "lowprice" => Sure(Meaning::Low),
        "close" | "kapanis" | "kapanisfiyati" | "closelast" | "closeprice" => Sure(Meaning::Close),
        "price" | "last" | "son" | "simdi" | "fiyat" | "sonfiyat" | "lastprice" => {
            Perhaps(Meaning::Close)
        }
        "adjclose" | "adjustedclose" | "closeadj" | "duzeltilmiskapanis" | "duzkapanis"
        | "ayarlanmiskapanis" => Sure(Meaning::AdjustedClose),
        // Volume in lira is turnover, which is another quantity.
        "volume" | "vol" | "hacim" | "hac" if matches!(unit.as_str(), "tl" | "try" | "usd") => {
            Sure(Meaning::Other)
        }
        "volume" | "vol" | "adet" | "lot" | "islemadedi" | "miktar" | "islemmiktari" => {
            Sure(Meaning::Volume)
        }
        "hacim" | "hac" => Perhaps(Meaning::Volume),
        "change" | "chg" | "changepercent" | "pctchange" | "degisim" | "fark" | "dividends"
        | "stocksplits" | "capitalgains" | "repaired" | "turnover" | "hacimtl" | "islemhacmi"
        | "vwap" | "aof" | "openint" | "per" => Sure(Meaning::Other),
        "" if name.contains('%') => Sure(Meaning::Other),
        _ => Claim::Unknown,
    }
}

/// The name in lower-case ASCII letters and digits: `Düz. Kapanış` becomes `duzkapanis`.
pub(crate) fn fold(name: &str) -> String {
    name.chars()
        .filter_map(|c| match c {
            'ı' | 'I' | 'İ' | 'i' => Some('i'),
            'ş' | 'Ş' => Some('s'),
            'ğ' | 'Ğ' => Some('g'),
            'ç' | 'Ç' => Some('c'),
            'ö' | 'Ö' => Some('o'),
            'ü' | 'Ü' => Some('u'),
            c if c.is_ascii_alphanumeric() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// What a file name says of its bars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameHints {
    pub(crate) symbol: Result<Symbol, Fault>,
    pub(crate) interval: Option<Interval>,
}

/// Reads names such as `THYAO.csv`, `THYAO.IS.csv`, `THYAO_60m.csv`, `THYAO Geçmiş Verileri.csv`.
pub(crate) fn hints_of(file: &Path) -> NameHints {
    let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut words = stem.split([' ', '_', '-', '(', ')', ',']).filter(|word| !word.is_empty());
    let symbol = symbol_of(words.next().unwrap_or_default());
    let interval = words.find_map(|word| match word.to_ascii_lowercase().as_str() {
        "daily" | "gunluk" => Some(Interval::Daily),
        "1h" => Some(Interval::Minutes(60)),
        word => Interval::parse(word).ok(),
    });
    NameHints { symbol, interval }
}

fn symbol_of(word: &str) -> Result<Symbol, Fault> {
    // Names of files and not of shares.
    const COMMON: [&str; 14] = [
        "BARS", "BIST", "CSV", "DATA", "EXPORT", "FIYAT", "HISSE", "HISTORY", "OHLC", "OHLCV",
        "PRICE", "PRICES", "STOCK", "VERI",
    ];
    let symbol = Symbol::parse(word).map_err(|error| match error {
        SymbolError::Empty => Fault::Nameless,
        error @ (SymbolError::TooLong(_) | SymbolError::Character { .. }) => Fault::NoSymbol(error),
    })?;
    let lettered = symbol.as_str().bytes().any(|b| b.is_ascii_uppercase());
    if !lettered || COMMON.contains(&symbol.as_str()) {
        return Err(Fault::Nameless);
    }
    Ok(symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: Result<&str, &str>) {
        let names: Vec<&str> = header.split(',').collect();
        let actual = Layout::recognise(&names).map(|layout| {
            let c = &layout.cells[0];
            format!(
                "{} {} {} {} {} {:?} {:?} {:?}",
                layout.date,
                c.open,
                c.high,
                c.low,
                c.close,
                c.adjusted_close,
                c.volume,
                layout.symbol
            )
        });
        assert_eq!(
            actual.map_err(|fault| fault.to_string()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
    }

    #[test]
    fn english_and_turkish_names_are_known_in_any_case_and_spelling() {
        check("date,open,high,low,close,adj_close,volume", Ok("0 1 2 3 4 Some(5) Some(6) None"));
        check("Date,Open,High,Low,Close*,Adj Close**,Volume", Ok("0 1 2 3 4 Some(5) Some(6) None"));
        check(
            "TARİH,AÇILIŞ,YÜKSEK,DÜŞÜK,KAPANIŞ,DÜZELTİLMİŞ KAPANIŞ,HACİM",
            Ok("0 1 2 3 4 Some(5) Some(6) None"),
        );
        check("tarih,acilis,yuksek,dusuk,kapanis,hacim", Ok("0 1 2 3 4 None Some(5) None"));
        check("Tarih,Şimdi,Açılış,Yüksek,Düşük,Hac.,Fark %", Ok("0 2 3 4 1 None Some(5) None"));
        check("Date,Price,Open,High,Low,Vol.,Change %", Ok("0 2 3 4 1 None Some(5) None"));
        check(
            "Sembol,Tarih,Açılış,En Yüksek,En Düşük,Son,Lot",
            Ok("1 2 3 4 5 None Some(6) Some(0)"),
        );
        check("Time,Ticker,Open,High,Low,Last,Volume", Ok("0 2 3 4 5 None Some(6) Some(1)"));
        check(
            "<TICKER>,<PER>,<DTYYYYMMDD>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
            Ok("2 4 5 6 7 None Some(8) Some(0)"),
        );
    }

    #[test]
    fn the_surer_of_two_names_wins() {
        check("Tarih,Açılış,Yüksek,Düşük,Kapanış,Son,Hacim,Lot", Ok("0 1 2 3 4 None Some(7) None"));
        check(
            "Tarih,Kapanış(TL),Min(TL),Max(TL),Açılış(TL),Hacim(TL)",
            Ok("0 4 3 2 1 None None None"),
        );
        check("Price,Open,High,Low,Close,-,Volume", Ok("0 1 2 3 4 None Some(6) None"));
        check(
            "Date,Open,High,Low,Son,Fiyat",
            Err("the columns 'Son' and 'Fiyat' both look like the close; remove one"),
        );
    }

    #[test]
    fn a_header_without_prices_says_what_is_missing() {
        check(
            "a,b",
            Err("the header has no column for date, open, high, low, close; it names 'a', 'b'"),
        );
        check(
            "date,close",
            Err("the header has no column for open, high, low; it names 'date', 'close'"),
        );
    }

    #[test]
    fn the_file_name_gives_symbol_and_length() {
        #[track_caller]
        fn check(name: &str, symbol: Option<&str>, interval: Option<&str>) {
            let hints = hints_of(Path::new(name));
            assert_eq!(hints.symbol.ok().map(|s| s.as_str().to_owned()).as_deref(), symbol);
            assert_eq!(hints.interval.map(|i| i.to_string()).as_deref(), interval);
        }
        check("d/THYAO.csv", Some("THYAO"), None);
        check("THYAO.IS.csv", Some("THYAO"), None);
        check("THYAO_60m.csv", Some("THYAO"), Some("60m"));
        check("thyao-daily.csv", Some("THYAO"), Some("1d"));
        check("THYAO Geçmiş Verileri.csv", Some("THYAO"), None);
        check("XU100_investing_2015_2025.csv", Some("XU100"), None);
        check("data.csv", None, None);
        check("2024.csv", None, None);
        check("BIST 100 Geçmiş Verileri.csv", None, None);
        check("fiyatlarım.csv", None, None);
    }
}

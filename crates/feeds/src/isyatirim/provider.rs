//! Fetching from İş Yatırım: a share and a year of prices, or all actions of a share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_market::bar::day_of;
use bist_market::{Interval, Source, Symbol};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use super::{parse_hisse_tekil, parse_sermaye};
use crate::fetch_error::FetchError;
use crate::http::{Answer, BreakerState, Expects, HttpClient, Request, Waits};
use crate::provider::{
    Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};
use crate::settings::SourceSettings;

/// Where the prices, the actions and the page of a share lie.
const PRICES_PATH: &str = "/_layouts/15/Isyatirim.Website/Common/Data.aspx/HisseTekil";
const ACTIONS_PATH: &str =
    "/_layouts/15/IsYatirim.Website/StockInfo/CompanyInfoAjax.aspx/GetSermayeArttirimlari";
const PAGE_PATH: &str = "/tr-tr/analiz/hisse/Sayfalar/sirket-karti.aspx";

/// A year is asked for again until so many days after its end, so that at any time the newest
/// pieces hold a month that was fetched before: see [`super::adjustment_changed`].
const FINAL_AFTER_DAYS: i64 = 31;

/// The first year that is asked for: the exchange opened in it.
const FIRST_YEAR: i16 = 1986;

/// Daily prices and corporate actions of İş Yatırım.
#[derive(Debug)]
pub struct IsYatirimProvider {
    client: HttpClient,
    /// Whether the source has given us the cookie of a session, which its actions need.
    has_session: AtomicBool,
}

impl IsYatirimProvider {
    /// Asks as `settings` say; the address is `site`.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when the client cannot be made of the settings.
    pub fn new(settings: &SourceSettings, waits: Arc<dyn Waits>) -> Result<Self, FetchError> {
        let client = HttpClient::new(Source::ISYATIRIM, settings, waits)?;
        Ok(Self { client, has_session: AtomicBool::new(false) })
    }

    fn site(&self) -> &str {
        self.client.settings().base_url("site")
    }

    async fn fetch_prices(
        &self,
        piece: &Piece,
        symbol: Symbol,
        (from, to): (Date, Date),
        known: &Validators,
    ) -> Result<Fetched, FetchError> {
        let (from, to) = (from.strftime("%d-%m-%Y"), to.strftime("%d-%m-%Y"));
        let url =
            format!("{}{PRICES_PATH}?hisse={symbol}&startdate={from}&enddate={to}", self.site());
        let request = Request::get(url, Expects::Json).if_newer_than(known);
        let answer = self.client.send(&request).await?;
        content_of(piece, symbol, answer, known, parse_hisse_tekil)
    }

    /// Asks for the actions. The request is a POST and yet a pure question, so that it is repeated
    /// like any other.
    async fn fetch_actions(
        &self,
        piece: &Piece,
        symbol: Symbol,
        known: &Validators,
    ) -> Result<Fetched, FetchError> {
        let page = format!("{}{PAGE_PATH}?hisse={symbol}", self.site());
        let question = serde_json::json!({
            "hisseKodu": symbol.as_str(), "hisseTanimKodu": "", "yil": 0, "zaman": "HEPSI",
            "endeksKodu": "09", "sektorKodu": "",
        });
        let url = format!("{}{ACTIONS_PATH}", self.site());
        let body = question.to_string();
        let request = Request::post(url, "application/json; charset=UTF-8", body, Expects::Json)
            .header("X-Requested-With", "XMLHttpRequest")
            .header("Referer", page.clone())
            .header("Origin", self.site());
        let request = Request { idempotent: true, ..request };

        let had_session = self.has_session.load(Ordering::Acquire);
        if !had_session {
            self.begin_session(&page).await?;
        }
        let answer = match self.client.send(&request).await {
            // The session has ended: the source shows a page or refuses.
            Err(FetchError::WrongKind { .. } | FetchError::Status { status: 401 | 403, .. })
                if had_session =>
            {
                self.client.forget_cookies();
                self.begin_session(&page).await?;
                self.client.send(&request).await?
            }
            answer => answer?,
        };
        content_of(piece, symbol, answer, known, parse_sermaye)
    }

    /// Reads the page of the share, only for its cookie.
    async fn begin_session(&self, page: &str) -> Result<(), FetchError> {
        self.has_session.store(false, Ordering::Release);
        self.client.send(&Request::get(page, Expects::Any)).await?;
        self.has_session.store(true, Ordering::Release);
        Ok(())
    }
}

impl Provider for IsYatirimProvider {
    fn source(&self) -> Source {
        Source::ISYATIRIM
    }

    /// For each share its years, oldest first, then its actions. Years are asked for whole.
    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        if wanted.interval != Interval::Daily {
            let reason = format!("it has daily bars only, and {} is asked", wanted.interval);
            return Err(FetchError::NotOffered { source_name: Source::ISYATIRIM, reason });
        }
        if wanted.symbols.is_empty() {
            let reason = "it gives one share at a time; name the shares".to_owned();
            return Err(FetchError::NotOffered { source_name: Source::ISYATIRIM, reason });
        }
        let today = day_of(now);
        let years = wanted.from.year().max(FIRST_YEAR)..=wanted.to.min(today).year();
        let mut pieces = Vec::new();
        for symbol in &wanted.symbols {
            for year in years.clone() {
                let end = date(year, 12, 31);
                pieces.push(Piece {
                    key: format!("{symbol} 1d {year}"),
                    scope: Scope::Share {
                        symbol: *symbol,
                        from: date(year, 1, 1),
                        to: end.min(today),
                        interval: Interval::Daily,
                    },
                    is_final: end.saturating_add(FINAL_AFTER_DAYS.days()) < today,
                });
            }
            pieces.push(Piece {
                key: format!("{symbol} actions"),
                scope: Scope::Actions { symbol: *symbol },
                is_final: false,
            });
        }
        Ok(pieces)
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            match piece.scope {
                Scope::Share { symbol, from, to, interval: Interval::Daily } => {
                    self.fetch_prices(piece, symbol, (from, to), known).await
                }
                Scope::Actions { symbol } => self.fetch_actions(piece, symbol, known).await,
                Scope::Share { interval: Interval::Minutes(_), .. }
                | Scope::Day(_)
                | Scope::Series { .. }
                | Scope::Cursor(_)
                | Scope::File(_) => {
                    let reason = format!("'{}' is neither days nor actions of a share", piece.key);
                    Err(FetchError::NotOffered { source_name: Source::ISYATIRIM, reason })
                }
            }
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}

/// What an answer holds, if it is about the share that was asked for. An answer without rows is
/// how the source says that it does not know the share.
fn content_of(
    piece: &Piece,
    asked: Symbol,
    answer: Answer,
    known: &Validators,
    parse: fn(&str, &[u8]) -> Result<Batch, FetchError>,
) -> Result<Fetched, FetchError> {
    let (bytes, validators) = match answer {
        Answer::NotModified => {
            let content = Content::NotModified;
            return Ok(Fetched { content, validators: known.clone(), next: None });
        }
        Answer::Body { bytes, validators, .. } => (bytes, validators),
    };
    let batch = parse(&piece.key, &bytes)?;
    let symbols = batch.days.iter().map(|day| day.symbol);
    let mut symbols = symbols.chain(batch.actions.iter().map(|action| action.symbol));
    if let Some(other) = symbols.find(|symbol| *symbol != asked) {
        return Err(FetchError::Malformed {
            source_name: Source::ISYATIRIM,
            piece: piece.key.clone(),
            place: "the code of the share".to_owned(),
            reason: format!("it is {other}"),
        });
    }
    let content = if batch.rows_read == 0 {
        Content::Absent { reason: format!("it has nothing for {}", piece.key) }
    } else {
        Content::Data(Box::new(batch))
    };
    Ok(Fetched { content, validators, next: None })
}

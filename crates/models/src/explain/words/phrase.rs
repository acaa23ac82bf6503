//! What each feature is called, in what unit its value is said, and what traders read in it.
//!
//! `{14}` in a name stands for a window of 14 bars: 14 days of a daily panel, 14 hours of an hourly
//! one.

/// How a value is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A logarithmic return, said as a simple one in percent with its sign.
    Return,
    /// A return in percent already.
    PercentReturn,
    /// A share of one, said in percent.
    Share,
    /// An indicator that runs to a hundred or its like, to the nearest whole number.
    Index,
    /// How many times.
    Times,
    /// So many average true ranges, with the sign.
    Atr,
    /// A count.
    Count,
    /// Any other number, to two decimals.
    Number,
    /// A rank among the shares of the moment, 0 lowest to 1 highest.
    Rank,
    /// A yes or a no: only the reading is said.
    Reading,
}

/// What traders read in a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    /// Nothing besides the value.
    None,
    /// Up to the first number the first words, from the second number on the last, and between them
    /// those in the middle, if any: `(tr, en)` each.
    Zones(f64, Words, Option<Words>, f64, Words),
    /// The words of the whole number nearest to the value, counted from the first number.
    Choice(f64, &'static [Words]),
    /// The words for the low and the high end of a rank.
    Ends(Words, Words),
}

/// The same in Turkish and in English.
pub(super) type Words = (&'static str, &'static str);

/// A feature in words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrase {
    pub(super) feature: &'static str,
    pub(super) name: Words,
    pub(super) unit: Unit,
    pub(super) reading: Reading,
}

const fn plain(feature: &'static str, tr: &'static str, en: &'static str, unit: Unit) -> Phrase {
    Phrase { feature, name: (tr, en), unit, reading: Reading::None }
}

const fn read(
    feature: &'static str,
    (tr, en): Words,
    unit: Unit,
    (low, of_low): (f64, Words),
    middle: Option<Words>,
    (high, of_high): (f64, Words),
) -> Phrase {
    let reading = Reading::Zones(low, of_low, middle, high, of_high);
    Phrase { feature, name: (tr, en), unit, reading }
}

const fn ranked(feature: &'static str, name: Words, low: Words, high: Words) -> Phrase {
    Phrase { feature, name, unit: Unit::Rank, reading: Reading::Ends(low, high) }
}

const fn chosen(
    feature: &'static str,
    name: Words,
    first: f64,
    choices: &'static [Words],
) -> Phrase {
    Phrase { feature, name, unit: Unit::Reading, reading: Reading::Choice(first, choices) }
}

const OVERSOLD: Words = ("aşırı satım", "oversold");
const OVERBOUGHT: Words = ("aşırı alım", "overbought");
const NEUTRAL: Option<Words> = Some(("nötr", "neutral"));
const FALLING: Words = ("düşüş yönlü", "bearish");
const RISING: Words = ("yükseliş yönlü", "bullish");
const CALMER: Words = ("oynaklık azalıyor", "volatility is falling");
const WILDER: Words = ("oynaklık artıyor", "volatility is rising");
const QUIET: Words = ("olağanın altında", "below usual");
const BUSY: Words = ("olağanın üzerinde", "above usual");
const USUAL: Option<Words> = Some(("olağan", "usual"));
const WEAKEST: Words = ("en zayıf", "weakest");
const STRONGEST: Words = ("en güçlü", "strongest");
const BELOW: Words = ("altında", "below it");
const ABOVE: Words = ("üzerinde", "above it");
const NO_YES: &[Words] = &[("hayır", "no"), ("evet", "yes")];

use Unit::{Atr, Count, Index, Number, PercentReturn, Return, Share, Times};

/// All features of daily and hourly panels.
pub(super) const PHRASES: &[Phrase] = &[
    plain("return_1", "{1} getiri", "{1} return", Return),
    plain("return_2", "{2} getiri", "{2} return", Return),
    plain("return_3", "{3} getiri", "{3} return", Return),
    plain("return_5", "{5} getiri", "{5} return", Return),
    plain("return_10", "{10} getiri", "{10} return", Return),
    plain("return_20", "{20} getiri", "{20} return", Return),
    plain("return_60", "{60} getiri", "{60} return", Return),
    plain("overnight_gap", "açılış boşluğu", "opening gap", Return),
    plain("intraday_return", "açılıştan kapanışa getiri", "open-to-close return", Return),
    read(
        "close_location",
        ("kapanışın fiyat aralığındaki yeri", "close within its range"),
        Number,
        (-0.5, ("dibe yakın", "near the low")),
        Some(("ortada", "in the middle")),
        (0.5, ("tepeye yakın", "near the high")),
    ),
    chosen(
        "limit_hit",
        ("günlük fiyat sınırı", "daily price limit"),
        -1.0,
        &[
            ("tabanda kapandı", "closed limit down"),
            ("sınıra dayanmadı", "not hit"),
            ("tavanda kapandı", "closed limit up"),
        ],
    ),
    plain(
        "limit_hits_5",
        "son {5} tavan eksi taban sayısı",
        "limit-up less limit-down closes over {5}s",
        Count,
    ),
    read(
        "return_autocorrelation_60",
        ("{60} getiri özilintisi", "{60} return autocorrelation"),
        Number,
        (-0.1, ("geri dönüşlü", "mean-reverting")),
        Some(("belirsiz", "unclear")),
        (0.1, ("trend izliyor", "trending")),
    ),
    read(
        "reversal_slope_250",
        ("{250} geri dönüş eğimi", "{250} reversal slope"),
        Number,
        (0.0, ("hareketler geri dönüyor", "moves are given back")),
        None,
        (0.0, ("hareketler sürüyor", "moves carry on")),
    ),
    plain(
        "reversal_forecast",
        "son {5} hareketin beklenen devamı",
        "expected sequel of the last {5} move",
        Return,
    ),
    read("rsi_14", ("{14} RSI", "{14} RSI"), Index, (30.0, OVERSOLD), NEUTRAL, (70.0, OVERBOUGHT)),
    read(
        "macd_histogram_atr",
        ("MACD histogramı", "MACD histogram"),
        Atr,
        (0.0, FALLING),
        None,
        (0.0, RISING),
    ),
    read(
        "bollinger_percent_b_20",
        ("{20} Bollinger bandındaki yer", "position in the {20} Bollinger bands"),
        Share,
        (0.0, ("alt bandın altında", "below the lower band")),
        Some(("bandın içinde", "inside the bands")),
        (1.0, ("üst bandın üzerinde", "above the upper band")),
    ),
    plain(
        "bollinger_bandwidth_20",
        "{20} Bollinger bant genişliği",
        "{20} Bollinger bandwidth",
        Share,
    ),
    read(
        "adx_14",
        ("{14} ADX", "{14} ADX"),
        Index,
        (20.0, ("trend zayıf", "weak trend")),
        Some(("trend belirsiz", "trend unclear")),
        (25.0, ("güçlü trend", "strong trend")),
    ),
    read(
        "stochastic_k_14",
        ("{14} stokastik %K", "{14} stochastic %K"),
        Index,
        (20.0, OVERSOLD),
        NEUTRAL,
        (80.0, OVERBOUGHT),
    ),
    read(
        "cci_20",
        ("{20} CCI", "{20} CCI"),
        Index,
        (-100.0, OVERSOLD),
        NEUTRAL,
        (100.0, OVERBOUGHT),
    ),
    read(
        "sma_distance_20",
        ("{20} ortalamaya uzaklık", "distance to the {20} average"),
        Atr,
        (0.0, BELOW),
        None,
        (0.0, ABOVE),
    ),
    read(
        "sma_distance_50",
        ("{50} ortalamaya uzaklık", "distance to the {50} average"),
        Atr,
        (0.0, BELOW),
        None,
        (0.0, ABOVE),
    ),
    read(
        "sma_distance_200",
        ("{200} ortalamaya uzaklık", "distance to the {200} average"),
        Atr,
        (0.0, BELOW),
        None,
        (0.0, ABOVE),
    ),
    plain("high_distance_250", "{250} en yükseğe uzaklık", "distance to the {250} high", Return),
    plain("low_distance_250", "{250} en düşüğe uzaklık", "distance to the {250} low", Return),
    read(
        "directional_balance_14",
        ("{14} +DI ve -DI farkı", "{14} +DI less -DI"),
        Number,
        (0.0, FALLING),
        None,
        (0.0, RISING),
    ),
    read(
        "stochastic_d_14",
        ("{14} yavaş stokastik %D", "{14} slow stochastic %D"),
        Index,
        (20.0, OVERSOLD),
        NEUTRAL,
        (80.0, OVERBOUGHT),
    ),
    read(
        "williams_r_60",
        ("{60} Williams %R", "{60} Williams %R"),
        Index,
        (-80.0, OVERSOLD),
        NEUTRAL,
        (-20.0, OVERBOUGHT),
    ),
    plain("roc_120", "{120} değişim oranı (ROC)", "{120} rate of change (ROC)", PercentReturn),
    read(
        "aroon_oscillator_25",
        ("{25} Aroon osilatörü", "{25} Aroon oscillator"),
        Index,
        (-50.0, FALLING),
        NEUTRAL,
        (50.0, RISING),
    ),
    read(
        "donchian_position_55",
        ("{55} Donchian kanalındaki yer", "position in the {55} Donchian channel"),
        Index,
        (20.0, ("kanalın dibinde", "at the bottom of the channel")),
        Some(("kanalın ortasında", "inside the channel")),
        (80.0, ("kanalın tepesinde", "at the top of the channel")),
    ),
    read(
        "keltner_position_20",
        ("{20} Keltner kanalındaki yer", "position in the {20} Keltner channel"),
        Number,
        (-1.0, ("kanalın altında", "below the channel")),
        Some(("kanalın içinde", "inside the channel")),
        (1.0, ("kanalın üzerinde", "above the channel")),
    ),
    read(
        "supertrend_distance",
        ("SuperTrend çizgisine uzaklık", "distance to SuperTrend"),
        Return,
        (0.0, FALLING),
        None,
        (0.0, RISING),
    ),
    read(
        "ichimoku_lines",
        ("Ichimoku tenkan-kijun farkı", "Ichimoku tenkan over kijun"),
        Return,
        (0.0, FALLING),
        None,
        (0.0, RISING),
    ),
    read(
        "ichimoku_cloud_distance",
        ("Ichimoku bulutuna uzaklık", "distance to the Ichimoku cloud"),
        Return,
        (0.0, ("bulutun altında", "below the cloud")),
        None,
        (0.0, ("bulutun üzerinde", "above the cloud")),
    ),
    read(
        "candle_balance",
        ("mum formasyonları", "candle patterns"),
        Count,
        (-1.0, FALLING),
        Some(("formasyon yok", "none either way")),
        (1.0, RISING),
    ),
    chosen("candle_doji", ("doji mumu", "doji candle"), 0.0, NO_YES),
    plain("volatility_5", "{5} oynaklık", "{5} volatility", Share),
    plain("volatility_20", "{20} oynaklık", "{20} volatility", Share),
    plain("volatility_60", "{60} oynaklık", "{60} volatility", Share),
    plain("parkinson_20", "{20} Parkinson oynaklığı", "{20} Parkinson volatility", Share),
    plain("garman_klass_20", "{20} Garman-Klass oynaklığı", "{20} Garman-Klass volatility", Share),
    plain("atr_14_share", "{14} ATR / fiyat", "{14} ATR / price", Share),
    read(
        "volatility_ratio_5_60",
        ("{5} oynaklığın {60} oynaklığa oranı", "{5} to {60} volatility"),
        Times,
        (0.8, CALMER),
        USUAL,
        (1.2, WILDER),
    ),
    plain("yang_zhang_20", "{20} Yang-Zhang oynaklığı", "{20} Yang-Zhang volatility", Share),
    read(
        "volume_zscore_20",
        ("{20} hacim z-skoru", "{20} volume z-score"),
        Number,
        (-1.0, QUIET),
        USUAL,
        (1.0, BUSY),
    ),
    read(
        "volume_ratio_5_20",
        ("{5} hacmin {20} ortalamaya oranı", "{5} volume to its {20} average"),
        Times,
        (0.7, QUIET),
        USUAL,
        (1.3, BUSY),
    ),
    read(
        "obv_slope_20",
        ("{20} OBV eğimi", "{20} OBV slope"),
        Number,
        (0.0, ("para çıkışı", "distribution")),
        None,
        (0.0, ("para girişi", "accumulation")),
    ),
    read("mfi_14", ("{14} MFI", "{14} MFI"), Index, (20.0, OVERSOLD), NEUTRAL, (80.0, OVERBOUGHT)),
    plain(
        "zero_volume_share_20",
        "son {20} işlemsiz bar payı",
        "share of bars without trades over {20}s",
        Share,
    ),
    read(
        "turnover_ratio_5_60",
        ("{5} lira hacminin {60} ortalamaya oranı", "{5} turnover to its {60} average"),
        Times,
        (0.7, QUIET),
        USUAL,
        (1.3, BUSY),
    ),
    read(
        "vwap_distance_20",
        ("{20} VWAP'a uzaklık", "distance to the {20} VWAP"),
        Return,
        (0.0, BELOW),
        None,
        (0.0, ABOVE),
    ),
    chosen(
        "day_of_week",
        ("haftanın günü", "day of the week"),
        1.0,
        &[
            ("pazartesi", "Monday"),
            ("salı", "Tuesday"),
            ("çarşamba", "Wednesday"),
            ("perşembe", "Thursday"),
            ("cuma", "Friday"),
        ],
    ),
    plain("month_end_distance", "ay sonuna kalan hafta içi gün", "weekdays to month end", Count),
    chosen("half_day_next", ("sonraki seans yarım gün", "next session is a half day"), 0.0, NO_YES),
    plain(
        "sessions_since_closure",
        "son uzun tatilden beri seans",
        "sessions since a long closure",
        Count,
    ),
    plain("session_of_week", "haftanın kaçıncı seansı", "session of the week", Count),
    chosen(
        "closure_next",
        ("sonraki seanstan önce uzun tatil", "long closure before the next session"),
        0.0,
        NO_YES,
    ),
    plain("index_return_1", "BIST 100 günlük getirisi", "1-day BIST 100 return", Return),
    plain("index_return_5", "BIST 100 5 günlük getirisi", "5-day BIST 100 return", Return),
    plain("index_return_20", "BIST 100 20 günlük getirisi", "20-day BIST 100 return", Return),
    plain(
        "index_volatility_20",
        "BIST 100 20 günlük oynaklığı",
        "20-day BIST 100 volatility",
        Share,
    ),
    plain("usdtry_return_1", "dolar/TL günlük değişimi", "1-day USD/TRY change", Return),
    plain("usdtry_return_5", "dolar/TL 5 günlük değişimi", "5-day USD/TRY change", Return),
    plain("usdtry_return_20", "dolar/TL 20 günlük değişimi", "20-day USD/TRY change", Return),
    plain(
        "usdtry_volatility_20",
        "dolar/TL 20 günlük oynaklığı",
        "20-day USD/TRY volatility",
        Share,
    ),
    plain("bar_of_session", "seansın kaçıncı saati", "hour of the session", Count),
    plain("bars_to_close", "kapanışa kalan saat", "hours to the close", Count),
    plain("session_return", "seans açılışından beri getiri", "return since the open", Return),
    plain("session_gap", "seansın açılış boşluğu", "gap at the session's open", Return),
    read(
        "same_hour_volume_ratio_20",
        (
            "hacmin aynı saatin 20 seanslık ortalamasına oranı",
            "volume to its 20-session average at this hour",
        ),
        Times,
        (0.7, QUIET),
        USUAL,
        (1.3, BUSY),
    ),
    plain(
        "next_hour_return_20",
        "sonraki saatin 20 seanslık ortalama getirisi",
        "mean return of the next hour over 20 sessions",
        Return,
    ),
    read(
        "regime_turbulent",
        ("çalkantılı piyasa olasılığı", "probability of a turbulent market"),
        Share,
        (0.5, ("piyasa sakin", "the market is calm")),
        None,
        (0.5, ("piyasa çalkantılı", "the market is turbulent")),
    ),
    ranked("rank_return_5", ("{5} getiri sırası", "rank by {5} return"), WEAKEST, STRONGEST),
    ranked("rank_return_20", ("{20} getiri sırası", "rank by {20} return"), WEAKEST, STRONGEST),
    ranked(
        "rank_volatility_20",
        ("{20} oynaklık sırası", "rank by {20} volatility"),
        ("en sakin", "calmest"),
        ("en oynak", "most volatile"),
    ),
    ranked(
        "rank_volume_ratio",
        ("hacim artışı sırası", "rank by volume growth"),
        ("en düşük", "lowest"),
        ("en yüksek", "highest"),
    ),
    ranked(
        "rank_turnover_20",
        ("{20} lira hacmi sırası", "rank by {20} turnover"),
        ("en az işlem gören", "least traded"),
        ("en çok işlem gören", "most traded"),
    ),
    read(
        "amihud_20",
        ("{20} Amihud likidite azlığı", "{20} Amihud illiquidity"),
        Number,
        (0.0, ("günün ortalamasından likit", "more liquid than the day's mean")),
        None,
        (0.0, ("günün ortalamasından sığ", "less liquid than the day's mean")),
    ),
    plain("market_return_1", "piyasanın {1} getirisi", "{1} return of the market", Return),
    plain("market_return_5", "piyasanın {5} getirisi", "{5} return of the market", Return),
    plain("market_return_20", "piyasanın {20} getirisi", "{20} return of the market", Return),
    read(
        "beta_60",
        ("{60} beta", "{60} beta"),
        Number,
        (0.8, ("piyasadan az oynar", "moves less than the market")),
        Some(("piyasayla oynar", "moves with the market")),
        (1.2, ("piyasadan çok oynar", "moves more than the market")),
    ),
    plain(
        "residual_return_60",
        "{60} piyasadan arındırılmış getiri",
        "{60} return net of the market",
        Return,
    ),
    plain("sector_return_5", "sektörün {5} getirisi", "{5} return of the sector", Return),
    plain("sector_return_20", "sektörün {20} getirisi", "{20} return of the sector", Return),
    plain(
        "return_5_less_sector",
        "sektöre göre {5} fazla getiri",
        "{5} return above the sector",
        Return,
    ),
    plain(
        "return_20_less_sector",
        "sektöre göre {20} fazla getiri",
        "{20} return above the sector",
        Return,
    ),
    read(
        "sector_reversal_slope_250",
        ("sektörün {250} geri dönüş eğimi", "{250} reversal slope of the sector"),
        Number,
        (0.0, ("hareketler geri dönüyor", "moves are given back")),
        None,
        (0.0, ("hareketler sürüyor", "moves carry on")),
    ),
    plain(
        "sector_reversal_forecast",
        "sektöre bakınca son {5} hareketin beklenen devamı",
        "expected sequel of the last {5} move, by the sector",
        Return,
    ),
];

/// Prophet's components, without the `prophet_` before their names.
pub(super) const COMPONENTS: &[(&str, Words)] = &[
    ("trend", ("Prophet: trend", "Prophet: trend")),
    ("yearly", ("Prophet: yılın zamanı", "Prophet: time of the year")),
    ("weekly", ("Prophet: haftanın günü", "Prophet: day of the week")),
    ("holidays", ("Prophet: tatil çevresi", "Prophet: around closures")),
];

/// The members of the ensemble.
pub(super) const MEMBERS: &[(&str, Words)] = &[
    ("gbdt", ("karar ağaçları", "decision trees")),
    ("elastic_net", ("doğrusal model", "linear model")),
    ("lstm", ("yinelemeli ağ (LSTM)", "recurrent network (LSTM)")),
    ("prophet", ("Prophet", "Prophet")),
];

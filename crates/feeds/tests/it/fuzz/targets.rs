//! The parsers that are fed, each with the sound documents from which its inputs are made.

use std::path::Path;

use super::changes::{self, Document};
use super::dice::Dice;
use super::{archive, checks, floods};

/// The address space of a child. The process alone has about 200 MiB, most of it not used.
const MEMORY_BYTES_MAX: u64 = 384 << 20;

/// A parser and its inputs.
pub(super) struct Target {
    pub(super) name: &'static str,
    documents: fn() -> Vec<Vec<u8>>,
    /// Large inputs that are fed before all others.
    floods: &'static [fn() -> Vec<u8>],
    /// What is made of a changed document before it is fed.
    pack: fn(&mut Dice, Vec<u8>, &[Document]) -> Vec<u8>,
    /// Reads the bytes, with a folder to work in; panics when a promise is broken, and says whether
    /// anything of use was read.
    pub(super) check: fn(&[u8], &Path) -> bool,
    pub(super) memory_bytes_max: u64,
}

impl Target {
    fn new(
        name: &'static str,
        documents: fn() -> Vec<Vec<u8>>,
        check: fn(&[u8], &Path) -> bool,
    ) -> Self {
        let pack = |_: &mut Dice, bytes: Vec<u8>, _: &[Document]| bytes;
        let memory_bytes_max = MEMORY_BYTES_MAX;
        Self { name, documents, floods: &[], pack, check, memory_bytes_max }
    }

    fn with_floods(self, floods: &'static [fn() -> Vec<u8>]) -> Self {
        Self { floods, ..self }
    }

    pub(super) fn corpus(&self) -> Vec<Document> {
        (self.documents)().into_iter().map(Document::new).collect()
    }

    /// The input of this number.
    pub(super) fn input(&self, corpus: &[Document], seed: u64, index: u64) -> Vec<u8> {
        if let Some(flood) = usize::try_from(index).ok().and_then(|at| self.floods.get(at)) {
            return flood();
        }
        let mut dice = Dice::new(seed, index);
        let changed = changes::input(&mut dice, corpus);
        (self.pack)(&mut dice, changed, corpus)
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(super) fn csv() -> Target {
    let documents = || {
        texts(&[
            "date,open,high,low,close,adj_close,volume\n2024-03-01,270.5,274,270.125,273.25,270.5,1250000\n2024-03-04,273.5,275.25,271,274,271.25,980000\n2024-03-05,274.0,276.5,273.25,275.75,273.0,1100000\n",
            "Tarih;Açılış;Yüksek;Düşük;Kapanış;Düzeltilmiş Kapanış;Hacim\r\n01.03.2024;1.270,50;1.274,00;1.270,125;1.273,25;1.100,50;1.250.000\r\n14.03.2024;1.273,50;1.280,00;1.271,00;1.279,25;1.105,00;1.310.000\r\n",
            "Symbol,Date,Time,Open,High,Low,Close,Volume\nTHYAO.IS,2024-03-01,10:00,1.5,1.6,1.4,1.5,10\nAKBNK,2024-03-01,10:00,2.5,2.6,2.4,2.5,20\nTHYAO.IS,2024-03-01,11:00,1.5,1.6,1.4,1.5,30\nAKBNK,2024-03-01,11:00,2.5,2.6,2.4,2.5,40\n",
            "Price,Close,High,Low,Open,Volume\nTicker,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS\nDate,,,,,\n2024-03-01,273.25,274.0,270.0,270.5,100\n2024-03-04,274.25,275.0,271.0,273.5,200\n",
            "Ticker,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,AKBNK.IS,AKBNK.IS,AKBNK.IS,AKBNK.IS\nPrice,Open,High,Low,Close,Open,High,Low,Close\nDate,,,,,,,,\n2024-03-01,10.5,11,10,10.75,20.5,21,20,20.75\n2024-03-04,,,,,20.5,21,20,20.75\n",
            "\"Date\",\"Price\",\"Open\",\"High\",\"Low\",\"Vol.\",\"Change %\"\n\"03/01/2024\",\"1,273.25\",\"1,270.50\",\"1,274.00\",\"1,270.13\",\"1.25M\",\"0.10%\"\n\"03/14/2024\",\"1,279.25\",\"1,273.50\",\"1,280.00\",\"1,271.00\",\"980K\",\"-1.20%\"\n",
            "sep=;\ntimestamp;open;high;low;close;volume;\n1709240400;270.5;274;270.1;273.2;1250000;\n;;;;;;\n1709499600;270.5;274;270.1;273.2;1250000;\nToplam;;;;;2500000;\n",
        ])
    };
    Target::new("csv", documents, checks::csv).with_floods(&floods::CSV)
}

pub(super) fn actions_csv() -> Target {
    let documents = || {
        texts(&[
            "symbol,date,kind,ratio_or_amount,price_adjust_factor\nAAAAA,2024-05-02,cash_dividend_gross,1.774,0.92\nAAAAA,2023-05-23,bonus_issue_dividend,1.25,0.4\nAAAAA,2023-05-23,bonus_issue_internal,0.25,0.4\nBBBBB,2021-08-02,rights_issue,0.5,0.75\nBBBBB,2022-08-02,split,10,0.1\nBBBBB,2025-05-13,capital_decrease,0.98,1.0\nBBBBB,2020-10-01,merger,1.36,1.0\n",
            "Date;Symbol;Kind;Ratio or amount\n02.05.2024;AAAAA;split;2\n03.05.2024;AAAAA;cash_dividend;0,75\n",
        ])
    };
    Target::new("actions_csv", documents, checks::actions_csv).with_floods(&floods::ACTIONS_CSV)
}

/// The bulletin with both lines of its header, with the Turkish and with the English one.
fn bulletins() -> Vec<Vec<u8>> {
    let table = crate::bulletin::TABLE;
    let without = |left_out: usize| {
        let lines = table.split_inclusive('\n').enumerate();
        lines.filter(|(line, _)| *line != left_out).map(|(_, text)| text).collect::<String>()
    };
    texts(&[table, &without(1), &without(0)])
}

pub(super) fn bulletin() -> Target {
    Target::new("bulletin", bulletins, checks::bulletin).with_floods(&floods::BULLETIN)
}

pub(super) fn archives() -> Target {
    let pack = |dice: &mut Dice, table: Vec<u8>, documents: &[Document]| {
        archive::around(dice, &table, documents)
    };
    // Unpacked, decoded and read, the largest table that is let in is there twice or thrice.
    let memory_bytes_max = 3 * MEMORY_BYTES_MAX;
    Target { pack, memory_bytes_max, ..Target::new("archives", bulletins, checks::archive) }
}

pub(super) fn yahoo_days() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/yahoo/daily.json"),
            include_str!("../../fixtures/yahoo/daily.json"),
            include_str!("../../fixtures/yahoo/daily.json"),
            include_str!("../../fixtures/yahoo/not_found.json"),
        ])
    };
    Target::new("yahoo_days", documents, checks::yahoo_days).with_floods(&floods::YAHOO_DAYS)
}

pub(super) fn yahoo_hours() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/yahoo/hourly.json"),
            include_str!("../../fixtures/yahoo/hourly.json"),
            include_str!("../../fixtures/yahoo/daily.json"),
            include_str!("../../fixtures/yahoo/invalid_crumb.json"),
        ])
    };
    Target::new("yahoo_hours", documents, checks::yahoo_hours)
}

pub(super) fn hisse_tekil() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/isyatirim/hisse_tekil.json"),
            r#"{"ok":true,"value":[{"HGDG_HS_KODU":"AAAAA","HGDG_TARIH":"30-10-2025","HGDG_KAPANIS":"101,25","HG_KAPANIS":"103,5","HG_AOF":null,"HG_MIN":"102","HG_MAX":104.2,"HG_HACIM":8.5e8,"PD":"-"}]}"#,
            r#"{"ok":false,"errorCode":"7","errorDescription":"Tarih hatalı","value":null}"#,
        ])
    };
    Target::new("hisse_tekil", documents, checks::hisse_tekil).with_floods(&floods::HISSE_TEKIL)
}

/// The list is changed as it is, and then put into a text as the source does, or not.
pub(super) fn sermaye() -> Target {
    let documents = || {
        let answer: serde_json::Value =
            serde_json::from_str(include_str!("../../fixtures/isyatirim/sermaye.json")).unwrap();
        let list = answer["d"].as_str().unwrap();
        let rows = list.replace("},{", "},\n{");
        texts(&[
            &rows,
            r#"[{"SHHE_HS_KODU":"AAAAA","SHHE_TARIH":1754265600000,"SHT_KODU":"06","SHHE_NAKIT_TM_ORAN":"57,0805","SHHE_BDLI_ORAN":"20","SHHE_BDSZ_IK_ORAN":10}]"#,
        ])
    };
    let pack = |dice: &mut Dice, list: Vec<u8>, _: &[Document]| match dice.below(8) {
        0 => list,
        1..3 => [b"{\"d\":", list.as_slice(), b"}"].concat(),
        _ => {
            // Each mark and each line end with its escape, and the rest as it is.
            let mut text = b"{\"d\":\"".to_vec();
            for byte in list {
                match byte {
                    b'"' | b'\\' => text.extend([b'\\', byte]),
                    b'\n' => text.extend(b"\\n"),
                    _ => text.push(byte),
                }
            }
            [text.as_slice(), b"\"}"].concat()
        }
    };
    Target { pack, ..Target::new("sermaye", documents, checks::sermaye) }
        .with_floods(&floods::SERMAYE)
}

pub(super) fn evds() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/evds/daily.json"),
            include_str!("../../fixtures/evds/monthly.json"),
        ])
    };
    Target::new("evds", documents, checks::evds).with_floods(&floods::EVDS)
}

pub(super) fn rates() -> Target {
    let documents = || texts(&[include_str!("../../fixtures/evds/rates.xml")]);
    Target::new("rates", documents, checks::rates).with_floods(&floods::RATES)
}

pub(super) fn kap_page() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/kap/page.json"),
            r#"{"lastDisclosureIndex":"1600001"}"#,
        ])
    };
    Target::new("kap_page", documents, checks::kap_page).with_floods(&floods::KAP_PAGE)
}

pub(super) fn kap_detail() -> Target {
    let documents = || {
        texts(&[
            include_str!("../../fixtures/kap/detail.json"),
            r#"{"time":"01.02.2015 09:00:00","subject":"Genel","summary":{"tr":" ","en":"x"},"senderExchCodes":["ISATR, ISBTR",{"code":"ISCTR"},{"code":null}]}"#,
        ])
    };
    Target::new("kap_detail", documents, checks::kap_detail).with_floods(&floods::KAP_DETAIL)
}

pub(super) fn kap_site() -> Target {
    let documents = || texts(&[include_str!("../../fixtures/kap/site.json")]);
    Target::new("kap_site", documents, checks::kap_site).with_floods(&floods::KAP_SITE)
}

//! `/api/v1/market/overview`, `sectors` and `regime`, `/api/v1/screener` and `/api/v1/scenarios`.

use serde_json::{Value, json};

use crate::test_app::TestApp;

/// Five sessions up to 20 November 2026 (or fewer) with these closes; each bar opens where it closes.
fn file(closes: &[f64]) -> String {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for (day, close) in (16..).zip(closes) {
        let (high, low) = (close + 0.2, close - 0.2);
        // A row like the one before it would be taken for a copy.
        let volume = 1000 + day;
        text += &format!("2026-11-{day},{close:.2},{high:.2},{low:.2},{close:.2},{volume}\n");
    }
    text
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["symbol"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_overview_counts_who_is_there_and_says_who_is_not() {
    let files = [
        ("RISE.csv", file(&[10.0, 10.1, 10.2, 10.3, 10.5])),
        ("JUMP.csv", file(&[20.0, 20.2, 20.4, 20.6, 22.0])),
        ("FALL.csv", file(&[30.0, 30.2, 30.4, 30.6, 30.0])),
        ("FLAT.csv", file(&[40.0, 40.2, 40.4, 40.6, 40.6])),
        ("OLDER.csv", file(&[50.0, 50.5, 51.0])),
        ("XU100.csv", file(&[100.0, 101.0, 102.0, 103.0, 104.0])),
        // The high is below the low on four of five days.
        (
            "WRONG.csv",
            "date,open,high,low,close,volume\n2026-11-16,10.0,9.0,11.0,10.0,1\n\
             2026-11-17,10.0,9.0,11.0,10.0,1\n2026-11-18,10.0,9.0,11.0,10.0,1\n\
             2026-11-19,10.0,9.0,11.0,10.0,1\n2026-11-20,10.0,10.2,9.9,10.0,1000\n"
                .to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let app = TestApp::with_csv(&files).await;
    let overview = app.get("/api/v1/market/overview").await.ok();
    assert_eq!(overview["as_of"], "2026-11-20");
    // Monday's session has ended, Tuesday's has not.
    assert_eq!((&overview["stale_sessions"], &overview["shares_count"]), (&json!(1), &json!(4)));
    assert_eq!(overview["left_out"], json!({"below_gate_count": 1, "older_count": 1}));
    let breadth = &overview["breadth"];
    let counts = ["advancers_count", "decliners_count", "unchanged_count", "unknown_count"];
    assert_eq!(counts.map(|name| breadth[name].as_u64().unwrap()), [2, 1, 1, 0]);
    assert_eq!(breadth["above_means"][0]["above_share"], json!(null));
    assert_eq!(names(&overview["gainers"]), ["JUMP", "RISE"]);
    assert_eq!(names(&overview["losers"]), ["FALL"]);
    let day_try = overview["turnover"]["day_try"].as_f64().unwrap();
    assert!((day_try - 1020.0 * (10.5 + 22.0 + 30.0 + 40.6)).abs() < 1e-6, "{day_try}");
    assert_eq!(overview["turnover"]["mean_20_try"], json!(null));

    let states: Vec<(&Value, &Value)> = overview["indices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| (&index["symbol"], &index["state"]))
        .collect();
    let expected = [("XU100", "known"), ("XU030", "missing"), ("USDTRY", "missing")];
    for (index, (symbol, state)) in states.iter().zip(expected) {
        assert_eq!((index.0, index.1), (&json!(symbol), &json!(state)));
    }
    let change = overview["indices"][0]["changes"][0]["change_share"].as_f64().unwrap();
    assert!((change - 1.0 / 103.0).abs() < 1e-12, "{change}");

    let sectors = app.get("/api/v1/market/sectors").await.ok();
    assert_eq!(sectors["benchmark"], "XU100");
    let [unknown] = sectors["items"].as_array().unwrap().as_slice() else { panic!("{sectors}") };
    assert_eq!((&unknown["sector"], &unknown["members_count"]), (&json!(null), &json!(4)));
    let day = &unknown["windows"][0];
    let mean = (0.2 / 10.3 + 1.4 / 20.6 - 0.6 / 30.6) / 4.0;
    assert!((day["mean_share"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((day["relative_share"].as_f64().unwrap() - (mean - 1.0 / 103.0)).abs() < 1e-12);

    let regime = app.get("/api/v1/market/regime").await.ok();
    assert_eq!((&regime["state"], &regime["known_from"]), (&json!("unknown"), &json!(null)));
    assert_eq!(regime["calm"]["mean_log_return"], json!(null));
    // A week tells nothing of betas, and says so for each share.
    let scenario = app.get("/api/v1/scenarios").await.ok();
    assert_eq!(
        (scenario["items"].as_array().unwrap().len(), &scenario["known_count"]),
        (0, &json!(0))
    );
    assert_eq!(names(&scenario["refused"]), ["FALL", "FLAT", "JUMP", "RISE"]);
    assert_eq!(scenario["refused"][0]["days_count"], 4);
}

#[tokio::test]
async fn an_empty_store_has_an_overview_that_says_so() {
    let app = TestApp::empty().await;
    let overview = app.get("/api/v1/market/overview").await.ok();
    assert_eq!((&overview["as_of"], &overview["shares_count"]), (&json!(null), &json!(0)));
    assert_eq!(app.get("/api/v1/screener").await.ok()["items"], json!([]));
    assert_eq!(app.get("/api/v1/scenarios").await.ok()["episodes"], json!([]));
}

#[tokio::test]
async fn the_screener_filters_sorts_ranks_and_counts_whom_it_left_out() {
    let app = TestApp::trained().await;
    let all = app.get("/api/v1/screener").await.ok();
    let rows = all["items"].as_array().unwrap();
    let shares_count = rows.len() as u64;
    assert!(shares_count >= 4, "{all}");
    assert_eq!(all["shares_count"], shares_count);
    let weights: f64 = all["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["weight_share"].as_f64().unwrap())
        .sum();
    assert!((weights - 1.0).abs() < 1e-12);
    let rsi = |row: &Value| row["values"]["rsi_14"].as_f64().unwrap();
    let mut sorted: Vec<f64> = rows.iter().map(rsi).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];

    let path =
        format!("/api/v1/screener?where=rsi_14:{middle:.9}..,close:0..&action=hold&sort=-rsi_14");
    let found = app.get(&path).await.ok();
    let kept: Vec<f64> = found["items"].as_array().unwrap().iter().map(rsi).collect();
    assert!(
        kept.is_sorted_by(|a, b| a >= b) && kept.iter().all(|rsi| *rsi >= middle - 1e-8),
        "{kept:?}"
    );
    let conditions = found["conditions"].as_array().unwrap();
    let left_out: u64 = conditions
        .iter()
        .map(|one| one["unmet_count"].as_u64().unwrap() + one["unknown_count"].as_u64().unwrap())
        .sum();
    assert_eq!(found["found_count"].as_u64().unwrap() + left_out, shares_count);
    let asked: Vec<&Value> = conditions.iter().map(|one| &one["name"]).collect();
    assert_eq!(asked, ["action", "rsi_14", "close"]);

    // Pages put together are the whole, in the same order.
    let ranked = app.get("/api/v1/screener?sort=-composite").await.ok();
    let first = app.get("/api/v1/screener?sort=-composite&limit=2").await.ok();
    let cursor = first["next"].as_str().unwrap();
    let rest = app.get(&format!("/api/v1/screener?sort=-composite&cursor={cursor}")).await.ok();
    let mut paged = names(&first["items"]);
    paged.extend(names(&rest["items"]));
    assert_eq!(paged, names(&ranked["items"]));
    let closeness = |row: &Value| row["composite"].as_f64().unwrap();
    assert!(ranked["items"].as_array().unwrap().iter().map(closeness).is_sorted_by(|a, b| a >= b));

    for (query, said) in [
        ("where=rsi_14:70..30", "begins above its end"),
        ("where=rsi_14", "has no bounds"),
        ("where=colour:1..", "give one of close, change_1_share"),
        ("where=close:1..,close:2..", "named twice"),
        ("rank_by=close,-close", "named twice"),
        ("sort=colour", "give one of close"),
    ] {
        let answer = app.get(&format!("/api/v1/screener?{query}")).await;
        let (code, detail) = answer.problem(400);
        assert!(code == "invalid_parameter" && detail.contains(said), "{query}: {detail}");
    }
}

#[tokio::test]
async fn a_scenario_tells_what_may_come_with_what_it_rests_on() {
    let app = TestApp::trained().await;
    let told = app.get("/api/v1/scenarios?market_change_share=-0.1&episodes=3").await.ok();
    assert_eq!(told["benchmark"], "equal_weighted", "the sample market has no index");
    let rows = told["items"].as_array().unwrap();
    assert!(rows.len() >= 4);
    for row in rows {
        let outcome = &row["outcome"];
        let quantiles = ["05", "25", "50", "75", "95"]
            .map(|level| outcome[format!("quantile_{level}_share")].as_f64().unwrap());
        assert!(quantiles.is_sorted(), "{outcome}");
        let beta = &row["betas"][0];
        assert!(
            beta["standard_error"].as_f64().unwrap() > 0.0 && row["r2"].as_f64().unwrap() < 1.0
        );
        let conditional = 0.9_f64.powf(beta["shrunk"].as_f64().unwrap()) - 1.0;
        assert!((outcome["conditional_share"].as_f64().unwrap() - conditional).abs() < 1e-12);
    }
    let worst: Vec<f64> = told["episodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|episode| episode["market_share"].as_f64().unwrap())
        .collect();
    assert!(worst.len() == 3 && worst.is_sorted() && worst[0] < 0.0, "{worst:?}");
    // The seed is fixed.
    assert_eq!(app.get("/api/v1/scenarios?market_change_share=-0.1&episodes=3").await.ok(), told);

    // A portfolio of one share is that share, before it is drawn towards the others.
    let symbol = rows[0]["symbol"].as_str().unwrap();
    let held = app.get(&format!("/api/v1/scenarios?holdings={symbol}:1")).await.ok();
    let slope = |of: &Value| of["betas"][0]["slope"].as_f64().unwrap();
    assert!((slope(&held["portfolio"]) - slope(&rows[0])).abs() < 1e-9);
    assert_eq!(held["episodes"][0]["portfolio_known_share"], 1.0);

    for (query, said) in [
        ("usdtry_change_share=0.05", "no good series of USDTRY"),
        ("market_change_share=-2", "give a share from -0.9 to 3"),
        ("holdings=NONE:1", "NONE has no share in the scenario"),
        ("holdings=A:0.5,B:0.4", "add up to 0.9"),
        ("horizon_sessions=61", "from 1 to 60"),
    ] {
        let answer = app.get(&format!("/api/v1/scenarios?{query}")).await;
        let (code, detail) = answer.problem(400);
        assert!(code == "invalid_parameter" && detail.contains(said), "{query}: {detail}");
    }
}

#[tokio::test]
async fn the_regime_is_not_known_in_the_first_year_and_is_paged_backward() {
    let app = TestApp::trained().await;
    let regime = app.get("/api/v1/market/regime?limit=5000").await.ok();
    let days = regime["items"].as_array().unwrap();
    let probability = |day: &Value| day["turbulent_probability"].as_f64();
    let known = days.iter().position(|day| probability(day).is_some()).unwrap();
    assert!(known > 200, "{known}");
    assert_eq!(days[known]["day"], regime["known_from"]);
    assert!(days[known..].iter().all(|day| (0.0..=1.0).contains(&probability(day).unwrap())));
    let sessions = |name: &str| regime[name]["sessions_count"].as_u64().unwrap();
    assert_eq!(sessions("calm") + sessions("turbulent"), (days.len() - known) as u64);
    assert_eq!(regime["turbulent_probability"], days[days.len() - 1]["turbulent_probability"]);

    let newest = app.get("/api/v1/market/regime?limit=10").await.ok();
    assert_eq!(newest["items"].as_array().unwrap()[..], days[days.len() - 10..]);
    let cursor = newest["next"].as_str().unwrap();
    let before = app.get(&format!("/api/v1/market/regime?limit=5&cursor={cursor}")).await.ok();
    assert_eq!(before["items"].as_array().unwrap()[..], days[days.len() - 15..days.len() - 10]);
}

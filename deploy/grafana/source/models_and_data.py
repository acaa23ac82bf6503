"""Models and data: whether the data are fit to learn from, and whether the models still do what they say."""

from panels import (BACKUPS, BLUE, DEPLOYS, GREEN, HORIZON, PROMOTIONS, RED, YELLOW, YES_IS_BAD, bars, board, fill, lines, number, rows, states, thresholds)

OF = 'horizon=~"$horizon"'
QUALITY = ("Data quality", "/quality")
MODELS = ("Models", "/models")
LEARN = 'exported_job=~"retraining|tuning"'


def data():
    return [
        number("Data quality", "The score of what models may see. Below 95 % training is refused.", "percentunit",
               [("min(bist_data_quality_score)", "score")], limits=thresholds(RED, (0.95, YELLOW), (0.98, GREEN)), decimals=2, page=QUALITY),
        bars("Series by state", "Primary series that are good, near the gate, or below it and kept from models.", "short",
             [("max by (state) (bist_data_quality_symbols)", "{{state}}")], span=8, height=4, limits=thresholds(BLUE), page=QUALITY),
        lines("Age of the newest bar", "From the end of the session of the newest daily bar until now; three days over a weekend are usual.", "s",
              [("min by (source) (bist_data_age_seconds)", "{{source}}")], span=12, height=8),
        lines("Weekdays since the newest bar", "The same in weekdays. More than five are more than any closure of the exchange.", "short",
              [("bist:data_age:weekdays", "{{source}}")], span=12, height=4, limits=thresholds(GREEN, (6, RED))),
        lines("Stored rows", "Rows by what the last check made of them.", "short",
              [("max by (source, outcome) (bist_ingest_rows)", "{{source}} {{outcome}}")], page=QUALITY),
        lines("Since a source brought something", "Or said that there is nothing newer.", "s",
              [("time() - max by (source) (bist_ingest_last_success_timestamp_seconds)", "{{source}}")]),
    ]


def in_force():
    return [
        rows("In force", "The champion of each horizon.", [(f"max by (horizon, version) (bist_model_info{{{OF}}})", "")],
             {"horizon": "Horizon", "version": "Version"}, height=6, page=MODELS),
        lines("Age of the champion", "Since it was trained.", "s", [(f"max by (horizon) (bist_model_age_seconds{{{OF}}})", "{{horizon}}")],
              height=6, limits=thresholds(GREEN, (120 * 86400, RED)), page=MODELS),
        states("Drift", "Whether the newest look for drift raised an alarm about the champion.",
               [(f"max by (horizon) (bist_model_drift{{{OF}}})", "{{horizon}}")], YES_IS_BAD, height=6, page=("Jobs", "/jobs")),
        lines("Features that had drifted", "Share of all features, at the newest look. From a tenth on they may be alarming.", "percentunit",
              [(f"max by (horizon) (bist_model_drifted_features{{{OF}}})", "{{horizon}}")], height=6, most=1, limits=thresholds(GREEN, (0.1, YELLOW))),
    ]


def skill():
    window = "`evaluation`: the days on which the version was judged; `recent`: those after it learned; `record`: signals that were served and have ended."
    return [
        lines("Rank information coefficient", f"Mean over days of the rank correlation of forecast and outcome; zero is a coin. {window}", "short",
              [(f"max by (horizon, window) (bist_model_rank_ic{{{OF}}})", "{{horizon}} {{window}}")], least=None, limits=thresholds(RED, (0, GREEN)), page=MODELS),
        lines("Calibration error", f"By how much the probability of a rise is off, on average. {window}", "percentunit",
              [(f"max by (horizon, window) (bist_model_calibration_error{{{OF}}})", "{{horizon}} {{window}}")], limits=thresholds(GREEN, (0.1, RED)), page=("Record", "/record")),
        lines("Coverage of the 80 % band", f"Share of outcomes inside it. {window}", "percentunit",
              [(f'max by (horizon, window) (bist_model_coverage{{{OF},level="80"}})', "{{horizon}} {{window}}")], most=1,
              limits=thresholds(RED, (0.7, GREEN), (0.9, RED)), page=("Record", "/record")),
        lines("Coverage of the 50 % band", f"Share of outcomes inside it. {window}", "percentunit",
              [(f'max by (horizon, window) (bist_model_coverage{{{OF},level="50"}})', "{{horizon}} {{window}}")], most=1,
              limits=thresholds(RED, (0.35, GREEN), (0.65, RED)), page=("Record", "/record")),
        bars("Newest signals", "One a symbol, by action.", "short", [(f"max by (horizon, action) (bist_model_signals{{{OF}}})", "{{horizon}} {{action}}")],
             span=24, limits=thresholds(BLUE)),
    ]


def training():
    return [
        lines("Runs", "Retrainings and tunings that ended, by how.", "short",
              [(f"sum by (exported_job, outcome) (increase(bist_job_runs_total{{{LEARN}}}[$__rate_interval]))", "{{exported_job}} {{outcome}}")], span=8, page=("Jobs", "/jobs")),
        lines("How long they took", "Mean of the runs that ended.", "s",
              [(f"sum by (exported_job) (rate(bist_job_duration_seconds_sum{{{LEARN}}}[$__range])) / sum by (exported_job) (rate(bist_job_duration_seconds_count{{{LEARN}}}[$__range]))", "{{exported_job}}")],
              span=8, page=("Jobs", "/jobs")),
        lines("Since the last one was done", "Nothing is due on days without a session.", "s",
              [(f"time() - max by (exported_job) (bist_job_last_success_timestamp_seconds{{{LEARN}}})", "{{exported_job}}")], span=8),
    ]


def dashboard():
    made = board("bist-models", "bist: Models and data", "Whether the data are fit to learn from, and whether the models in force still do what their record says.",
                 [HORIZON], [DEPLOYS, PROMOTIONS, BACKUPS])
    return fill(made.time("now-7d", "now"), [("Data", data()), ("In force", in_force()), ("Skill", skill()), ("Training", training())])

"""Operations: processes, jobs, backups, and what they need."""

from panels import (BACKUPS, DEPLOYS, GREEN, GREY, INSTANCE, PROMOTIONS, RED, STARTS, WORK, YELLOW, YES_IS_WELL, board, fill, lines, number, rows, states, thresholds)

OF = 'instance=~"$instance"'
JOB = 'exported_job=~"$work"'
JOBS = ("Jobs", "/jobs")
BACKUP_PAGE = ("Backups", "/admin/backups")
DAY = 86400
BREAKER = {"0": ("asked", GREEN), "1": ("on trial", YELLOW), "2": ("left alone", RED)}


def processes():
    return [
        states("Up", "Whether Prometheus can scrape it.", [(f'up{{job="bist",{OF}}}', "{{instance}}")], YES_IS_WELL, height=5),
        states("Ready", "Whether /health/ready answers 200.", [(f"bist_ready{{{OF}}}", "{{instance}}")], YES_IS_WELL, height=5),
        states("Checks", "The checks of /health/ready.", [(f"bist_health_check{{{OF}}}", "{{instance}} {{check}}")], YES_IS_WELL),
        states("What is asked outside", "Whether it is asked as usual, on trial, or left alone after failures.",
               [(f'max by (instance, target) (bist_breaker_state{{{OF},state="half_open"}} or 2 * bist_breaker_state{{{OF},state="open"}})', "{{instance}} {{target}}")], BREAKER),
        rows("Versions", "Which version each process is of.", [(f"max by (instance, version) (bist_build_info{{{OF}}})", "")], {"instance": "Instance", "version": "Version"}, height=6),
        lines("Running for", "Since the process was started.", "s", [(f'time() - process_start_time_seconds{{job="bist",{OF}}}', "{{instance}}")], height=6),
        lines("Readings that failed", "Parts of /metrics that could not be read; their series are missing then.", "short",
              [(f"sum by (instance, part) (increase(bist_scrape_failures_total{{{OF}}}[$__rate_interval]))", "{{instance}} {{part}}")], height=6),
        lines("A scrape takes", "At 10 s it is given up.", "s", [(f'scrape_duration_seconds{{job="bist",{OF}}}', "{{instance}}")], height=6, limits=thresholds(GREEN, (5, RED))),
        rows("Alerts that fire", "Names and what they are about; none is the usual case.", [('ALERTS{alertname=~"Bist.*",alertstate="firing"}', "")],
             {"alertname": "Alert", "severity": "Severity", "instance": "Instance", "exported_job": "Job", "target": "Target", "source": "Source"}, span=24, height=6),
    ]


def jobs():
    return [
        lines("Waiting and going on", "Runs and parts of runs, of the whole installation.", "short",
              [(f"max by (exported_job) (bist_jobs_waiting{{{JOB}}})", "{{exported_job}} waiting"), (f"max by (exported_job) (bist_jobs_running{{{JOB}}})", "{{exported_job}} going on")], page=JOBS),
        lines("Ended", "Runs that ended, by how.", "short",
              [(f"sum by (exported_job, outcome) (increase(bist_job_runs_total{{{JOB}}}[$__rate_interval]))", "{{exported_job}} {{outcome}}")], page=JOBS),
        lines("How long runs took", "95 of 100 runs that were done within the time that is shown.", "s",
              [(f'histogram_quantile(0.95, sum by (exported_job, le) (increase(bist_job_duration_seconds_bucket{{{JOB},outcome="done"}}[$__range])))', "{{exported_job}}")], page=JOBS),
        lines("Since the last one was done", "By job.", "s", [(f"time() - max by (exported_job) (bist_job_last_success_timestamp_seconds{{{JOB}}})", "{{exported_job}}")], page=JOBS),
    ]


def backups():
    return [
        number("Newest backup", "Since it was made. One is due each day.", "s", [("time() - max(bist_backup_last_success_timestamp_seconds)", "age")],
               limits=thresholds(GREEN, (30 * 3600, RED)), page=BACKUP_PAGE, decimals=0),
        number("Last read again", "Since a backup was read again and found right.", "s", [("time() - max(bist_backup_last_verified_timestamp_seconds)", "age")],
               limits=thresholds(GREEN, (8 * DAY, YELLOW), (35 * DAY, RED)), page=BACKUP_PAGE, decimals=0),
        number("Overdue", "Whether the newest is older than it should be.", None, [("max(bist_backup_overdue)", "overdue")], page=BACKUP_PAGE,
               mapping={"0": ("no", GREEN), "1": ("yes", RED)}, trend=False),
        lines("Size of backups", "Of the newest one.", "bytes", [("max(bist_backup_size_bytes)", "newest")], height=4, page=BACKUP_PAGE),
    ]


def needs():
    return [
        states("Database", "Whether it answers within 2 s.", [(f"bist_database_up{{{OF}}}", "{{instance}}")], YES_IS_WELL, span=8),
        lines("Size of the database", "Of SQLite the file with its log.", "bytes", [("max(bist_database_size_bytes)", "database")], span=8),
        lines("Connections", "Used connections to the database.", "short", [(f'bist_database_connections{{{OF},state="used"}}', "{{instance}} {{pool}}")], span=8),
        lines("Free on the disk", "Share of the disk of the data directory.", "percentunit",
              [(f"bist_disk_free_bytes{{{OF}}} / bist_disk_size_bytes{{{OF}}}", "{{instance}}")], most=1, span=8, limits=thresholds(RED, (0.05, YELLOW), (0.3, GREEN))),
        lines("Free in a day", "What would be free a day from now as it went in the last six hours; below zero the disk is full by then.", "bytes",
              [(f"predict_linear(bist_disk_free_bytes{{{OF}}}[6h], {DAY})", "{{instance}}")], least=None, span=8, limits=thresholds(RED, (0, GREEN))),
        lines("Certificate", "Until the certificate ends; only where TLS ends in the process.", "s",
              [(f"bist_certificate_not_after_timestamp_seconds{{{OF}}} - time()", "{{instance}}")], span=8, limits=thresholds(RED, (3 * DAY, YELLOW), (14 * DAY, GREEN))),
    ]


def live():
    return [
        lines("Who listens", "Clients of the live stream.", "short", [(f"sum by (transport) (bist_live_clients{{{OF}}})", "{{transport}}")], stacked=True),
        lines("Told", "Envelopes a second.", "short", [(f"sum by (transport) (rate(bist_live_messages_total{{{OF}}}[$__rate_interval]))", "{{transport}}")]),
        lines("Left out", "Prices that were left out for clients that are slow, because a newer one followed.", "short",
              [(f"sum by (instance) (rate(bist_live_conflated_total{{{OF}}}[$__rate_interval]))", "{{instance}}")]),
        lines("Sent away", "Clients for which there was no seat, or that did not read.", "short",
              [(f"sum by (instance) (increase(bist_live_shed_total{{{OF}}}[$__rate_interval]))", "{{instance}}")], limits=thresholds(GREEN, (20, RED))),
    ]


def dashboard():
    made = board("bist-operations", "bist: Operations", "Processes, jobs, backups, the database, the disk, and the live stream.",
                 [INSTANCE, WORK], [DEPLOYS, STARTS, PROMOTIONS, BACKUPS])
    return fill(made, [("Processes", processes()), ("Jobs", jobs()), ("Backups", backups()), ("Database, disk, certificate", needs()), ("Live stream", live())])

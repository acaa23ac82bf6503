"""Security and usage: who comes in, what is refused, and what is put on record."""

from panels import BLUE, DEPLOYS, GREEN, INSTANCE, RED, ROUTE, STARTS, YELLOW, bars, board, fill, lines, number, thresholds

OF = 'instance=~"$instance"'
ASKED = f'{OF},route=~"$route"'
LIMITS = ("Limits", "/admin/limits")
ACTIVITY = ("Activity", "/admin/activity")
USAGE = ("Usage", "/admin/usage")
REFUSED = {"401": "not known", "403": "not allowed", "404": "not found", "429": "too often"}


def people():
    return [
        number("Sessions", "Sessions that are in force.", "short", [("max(bist_sessions_active)", "sessions")], decimals=0, page=ACTIVITY),
        bars("Accounts", "Active accounts by role.", "short", [("max by (role) (bist_users)", "{{role}}")], span=8, limits=thresholds(BLUE), page=("Accounts", "/admin/users")),
        lines("Sign-ins", "Attempts by outcome; `nobody` is an address of no account.", "short",
              [(f"sum by (outcome) (increase(bist_sign_ins_total{{{OF}}}[$__rate_interval]))", "{{outcome}}")], stacked=True, page=ACTIVITY),
        number("Sign-ins that failed", "Share of the attempts of the time that is shown.", "percentunit",
               [(f'sum(increase(bist_sign_ins_total{{{OF},outcome=~"wrong_password|wrong_code|nobody"}}[$__range])) / sum(increase(bist_sign_ins_total{{{OF}}}[$__range]))', "failed")],
               limits=thresholds(GREEN, (0.5, YELLOW), (0.8, RED)), decimals=0, trend=False, page=ACTIVITY),
        bars("API keys", "Keys by state; `ending` within seven days or after another took their place.", "short",
             [("max by (state) (bist_api_keys)", "{{state}}")], span=8, height=4, limits=thresholds(BLUE), page=("Keys", "/admin/keys")),
    ]


def limits():
    return [
        lines("Share over quota", "Of the requests of a class, those that were refused with 429.", "percentunit",
              [("bist:rate_limit_refused:ratio_rate5m", "{{class}}")], most=1, limits=thresholds(GREEN, (0.2, RED)), page=LIMITS),
        lines("Refused by the limiter", "Requests a second that were over their quota, by class.", "reqps",
              [(f'sum by (class) (rate(bist_rate_limit_decisions_total{{{OF},outcome="refused"}}[$__rate_interval]))', "{{class}}")], page=LIMITS),
        lines("Callers that are counted", "Callers and addresses whose count a process holds.", "short", [(f"bist_rate_limit_keys{{{OF}}}", "{{instance}}")], page=LIMITS),
        lines("Counted together", "1 while requests are counted in Redis, 0 while a process counts alone.", "short",
              [(f"bist_rate_limit_shared{{{OF}}}", "{{instance}}")], most=1, limits=thresholds(RED, (1, GREEN))),
        lines("Refused by status", "Answers a second that refused somebody.", "reqps",
              [(f'sum(rate(bist_http_requests_total{{{ASKED},status="{status}"}}[$__rate_interval]))', f"{status} {word}") for status, word in REFUSED.items()], page=USAGE),
        lines("Routes that refuse most", "The ten routes with the most answers 401, 403 and 429.", "reqps",
              [(f'topk(10, sum by (route) (rate(bist_http_requests_total{{{ASKED},status=~"401|403|429"}}[$__rate_interval])))', "{{route}}")], page=USAGE),
    ]


def usage():
    return [
        lines("Requests by method", "Answers a second by method.", "reqps", [(f"sum by (method) (rate(bist_http_requests_total{{{ASKED}}}[$__rate_interval]))", "{{method}}")], stacked=True, page=USAGE),
        bars("Most asked", "The fifteen routes with the most answers in the time that is shown.", "short",
             [(f"topk(15, sum by (route) (increase(bist_http_requests_total{{{ASKED}}}[$__range])))", "{{route}}")], limits=thresholds(BLUE), page=USAGE),
    ]


def records():
    return [
        lines("Records of the audit", "They only become more.", "short", [("max(bist_audit_records)", "records")], least=None, page=("Audit", "/admin/audit")),
        lines("Records an hour", "What was put on record.", "short", [("clamp_min(delta(max(bist_audit_records)[1h:]), 0)", "records an hour")], page=("Audit", "/admin/audit")),
        lines("Records of usage and activity that were lost", "Could not be kept, so that the admin pages show too little.", "short",
              [(f"sum by (part) (increase(bist_telemetry_dropped_total{{{OF}}}[$__rate_interval]))", "{{part}}")], limits=thresholds(GREEN, (1, RED))),
        lines("Events for Sentry", "Errors that were told to Sentry, by what became of them; none where it is not set up.", "short",
              [(f"sum by (outcome) (increase(bist_sentry_events_total{{{OF}}}[$__rate_interval]))", "{{outcome}}")], page=("Errors", "/admin/errors")),
    ]


def dashboard():
    made = board("bist-security", "bist: Security and usage", "Who comes in, who is refused and how often, which keys there are, and what is put on record.",
                 [INSTANCE, ROUTE], [DEPLOYS, STARTS])
    return fill(made, [("People and keys", people()), ("Limits and refusals", limits()), ("Usage", usage()), ("Records", records())])

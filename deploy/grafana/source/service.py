"""Service: rate, errors, latency, saturation, and what is left of the error budget."""

from panels import DEPLOYS, GREEN, INSTANCE, PROMOTIONS, RED, ROUTE, STARTS, YELLOW, board, clouds, fill, lines, number, thresholds

OF = 'instance=~"$instance",route=~"$route"'
NO_STREAMS = f'{OF},route!~"/api/v1/live.*"'
BUDGET = thresholds(RED, (0, YELLOW), (0.25, GREEN))
BURN = thresholds(GREEN, (1, YELLOW), (6, RED))
USAGE = ("Usage by route", "/admin/usage")


def quantile(share, by=""):
    return f"histogram_quantile({share}, sum by (le{by}) (rate(bist_http_request_duration_seconds_bucket{{{NO_STREAMS}}}[$__rate_interval])))"


def objectives():
    return [
        number("Available", "Share of answers to /api of the last 30 days that are not 5xx. The objective is 99.9 %.", "percentunit",
               [('1 - bist:sli_error:ratio_rate30d{slo="availability"}', "availability")], span=5, limits=thresholds(RED, (0.999, GREEN)), decimals=3),
        number("In time", "Share of answers to /api of the last 30 days within 0.25 s, streams left out. The objective is 99 %.", "percentunit",
               [('1 - bist:sli_error:ratio_rate30d{slo="latency"}', "latency")], span=5, limits=thresholds(RED, (0.99, GREEN)), decimals=3),
        number("Error budget left", "What is left of the failures that 30 days allow; below zero the objective is missed.", "percentunit",
               [("bist:error_budget_left:ratio30d", "{{slo}}")], span=6, limits=BUDGET, decimals=1),
        number("Requests", "Answers a second now.", "reqps", [(f"sum(rate(bist_http_requests_total{{{OF}}}[$__rate_interval]))", "requests")]),
        number("Ready", "Processes of those that are chosen that answer requests.", "short",
               [('sum(bist_ready{instance=~"$instance"})', "ready")], limits=thresholds(RED, (1, GREEN)), decimals=0, trend=False),
        lines("How fast the budget is used", "1 uses up exactly the budget of 30 days in 30 days. Alerts are at 14.4 over an hour, 6 over six hours, 3 over a day and 1 over three days.",
              "short", [(f"bist:sli_error:ratio_rate{window} / on (slo) group_left () (1 - bist:slo_objective:ratio)", "{{slo}} " + window) for window in ("1h", "6h", "3d")],
              span=24, limits=BURN),
    ]


def rate_and_errors():
    return [
        lines("Requests by route", "The ten routes that are asked most; (no route) are files, pages and paths that do not exist.", "reqps",
              [(f"topk(10, sum by (route) (rate(bist_http_requests_total{{{OF}}}[$__rate_interval])))", "{{route}}")], page=USAGE),
        lines("Answers by status", "Answers a second by their status.", "reqps",
              [(f"sum by (status) (rate(bist_http_requests_total{{{OF}}}[$__rate_interval]))", "{{status}}")], stacked=True),
        lines("Share of 5xx", "Of all answers. What was 5xx is told with its cause on the page of errors.", "percentunit",
              [(f'(sum(rate(bist_http_requests_total{{{OF},status=~"5.."}}[$__rate_interval])) or vector(0)) / sum(rate(bist_http_requests_total{{{OF}}}[$__rate_interval]))', "5xx")],
              limits=thresholds(GREEN, (0.001, RED)), page=("Errors", "/admin/errors")),
        lines("Errors", "What the program noted as an error: a panic, an answer 500, a job that failed, a page that broke.", "short",
              [('sum by (kind) (increase(bist_errors_total{instance=~"$instance"}[$__rate_interval]))', "{{kind}}")], page=("Errors", "/admin/errors")),
    ]


def latency():
    return [
        lines("Latency", "From the head of a request until its answer was made, streams left out. Points are single requests with their id, and lead to the page of errors.", "s",
              [(quantile(share), name) for share, name in ((0.99, "99 of 100 within"), (0.95, "95 of 100 within"), (0.5, "half within"))],
              limits=thresholds(GREEN, (0.25, RED)), exemplars=True),
        lines("Slowest routes", "The ten routes with the longest time within which 95 of 100 are answered.", "s",
              [(f"topk(10, {quantile(0.95, ', route')})", "{{route}}")], page=USAGE),
        clouds("How long answers took", "Answers a second by how long they took.", "s",
               f"sum by (le) (rate(bist_http_request_duration_seconds_bucket{{{NO_STREAMS}}}[$__rate_interval]))"),
        lines("Answers from what was kept", "Share of answers that needed not be made anew, by what they are made of.", "percentunit",
              [('sum by (cache) (rate(bist_cache_requests_total{instance=~"$instance",outcome="hit"}[$__rate_interval])) / sum by (cache) (rate(bist_cache_requests_total{instance=~"$instance"}[$__rate_interval]))', "{{cache}}")], most=1),
    ]


def saturation():
    of = 'instance=~"$instance"'
    return [
        lines("Requests under way", "Requests that are being answered at the moment.", "short", [(f"bist_http_requests_in_flight{{{of}}}", "{{instance}}")], span=8),
        lines("Requests sent away", "Answered 503 overloaded because all places were taken.", "reqps",
              [(f"rate(bist_http_requests_shed_total{{{of}}}[$__rate_interval])", "{{instance}}")], span=8, limits=thresholds(GREEN, (0.01, RED))),
        lines("Connections to the database", "Used and idle connections, readers and writers.", "short",
              [(f"bist_database_connections{{{of}}}", "{{instance}} {{pool}} {{state}}")], span=8, stacked=True),
        lines("Processor", "Processors that are busy with the process.", "short",
              [(f'rate(process_cpu_seconds_total{{job="bist",{of}}}[$__rate_interval])', "{{instance}}")], span=8),
        lines("Memory", "Memory that the process holds.", "bytes", [(f'process_resident_memory_bytes{{job="bist",{of}}}', "{{instance}}")], span=8),
        lines("Open files", "Share of the files and sockets that the process may have open.", "percentunit",
              [(f'process_open_fds{{job="bist",{of}}} / process_max_fds{{job="bist",{of}}}', "{{instance}}")], span=8, limits=thresholds(GREEN, (0.85, RED)), most=1),
    ]


def dashboard():
    made = board("bist-service", "bist: Service", "Whether people and programs are answered: how much is asked, what fails, how long it takes, what runs out.",
                 [INSTANCE, ROUTE], [DEPLOYS, STARTS, PROMOTIONS])
    return fill(made, [("Objectives", objectives()), ("Rate and errors", rate_and_errors()), ("Latency", latency()), ("Saturation", saturation())])

"""Asks optuna-dashboard for the studies of a journal and for each study, as a browser would.

usage: python optuna_dashboard_check.py JOURNAL
Prints for each study its name and the number of trials that the dashboard shows, as JSON.
"""

import io
import json
import sys
import wsgiref.util

import optuna
import optuna_dashboard
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def get(app, path):
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    wsgiref.util.setup_testing_defaults(environ)
    answered = []
    body = b"".join(app(environ, lambda status, headers, error=None: answered.append(status)))
    if not answered[0].startswith("200"):
        raise SystemExit(f"GET {path} answered {answered[0]}: {body[:300]!r}")
    return json.loads(body)


optuna.logging.set_verbosity(optuna.logging.ERROR)
app = optuna_dashboard.wsgi(JournalStorage(JournalFileBackend(sys.argv[1])))
shown = []
for study in get(app, "/api/studies")["study_summaries"]:
    detail = get(app, f"/api/studies/{study['study_id']}")
    shown.append({"name": study["study_name"], "trials_count": len(detail["trials"])})
print(json.dumps(shown))

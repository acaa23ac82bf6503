"""Who types which command of the runbook, and what must come of it, as somebody would go through it."""

import csv
import datetime
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import zoneinfo
from pathlib import Path

from runbook import others
from runbook.person import Person, Runbook, Wrong, until

SITE = "https://bist.example"
CONFIG = Path("/etc/bist/bist.toml")
REASON = {'"..."': '"a try"'}
SYMBOLS, YEARS = 4, 5
# What HAProxy has been told of a server (srv_admin_state of its management guide).
READY, HELD, DRAINED = 0, 1, 8


class Scenes:
    """A machine on which nothing is installed, and what is known of it so far."""

    def __init__(self, book: Runbook, bist: Path, checkout: Path) -> None:
        self.bist, self.checkout, self.book = bist, checkout, book
        self.root = self.person("/srv/book")
        self.builder = Person(book, checkout)
        shutil.copy(bist, "/srv/book/bist")

    def person(self, place: str, **more: str) -> Person:
        Path(place).mkdir(parents=True, exist_ok=True)
        return Person(self.book, Path(place), env={"RUST_LOG": "warn", **more})

    def all(self):
        """The scenes, in their order."""
        return [
            ("the package and the services around it", self.package),
            ("one process that ends TLS itself", self.alone),
            ("database, certificate, balancer", self.around),
            ("two servers behind the balancer", self.first_colour),
            ("data", self.data),
            ("services of others", self.services_of_others),
            ("people and programs", self.people),
            ("secrets and metrics", self.secrets),
            ("the audit", self.audit),
            ("findings, models", self.models),
            ("jobs", self.jobs),
            ("backups", self.backups),
            ("restores", self.restores),
            ("a lost master key", self.lost_key),
            ("another master key", self.another_key),
            ("versions", self.versions),
            ("to PostgreSQL", self.move),
            ("containers, as far as there is no engine", self.containers),
            ("the balancer of containers", self.balancer_of_containers),
            ("what watches it", self.watchers),
        ]

    # ---- Install

    def package(self) -> None:
        self.builder.env |= {"DPKG_DEB_COMPRESSOR_TYPE": "none"}
        told = self.builder.types("scripts/package_deb.sh target/release/bist", fill={"target/release/bist": self.bist})
        package = Path(told.strip().splitlines()[-1])
        shutil.copy(package, "/srv/book")
        # There is no network, so what is here is the newest there is.
        shutil.rmtree("/var/lib/apt/lists")
        self.root.types(
            "apt-get install ./bist_0.1.0-1_amd64.deb haproxy socat curl jq postgresql redis-server",
            fill={"bist_0.1.0-1_amd64.deb": package.name}, stdin="y\n",
        )
        self.root.does("test $(stat -c %U%a /etc/bist/master.key) = bist600 && test $(stat -c %U%a /var/lib/bist) = bist700")
        # What the cluster of the machine holds is of others, and may be in use.
        major = self.root.does("ls /usr/lib/postgresql").split()[-1]
        shutil.rmtree("/var/lib/postgresql")
        shutil.rmtree("/etc/postgresql", ignore_errors=True)
        self.root.does(f"pg_createcluster {major} main")
        self.root.types("pg_ctlcluster 15 main start", fill={"15": major})
        self.root.types("service redis-server start")
        self.root.types("redis-cli ping", shows="PONG")
        self.root.types("pg_isready", shows="accepting")

    def alone(self) -> None:
        self.root.types(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=bist.example "
            "-addext subjectAltName=DNS:bist.example -keyout key.pem -out fullchain.pem"
        )
        self.root.does("cp fullchain.pem key.pem /etc/bist/")
        alone = self.person("/srv/alone", BIST_DATA_DIR="/srv/alone/data")
        serve = "bist serve --bind 0.0.0.0:443 --tls-cert /etc/bist/fullchain.pem --tls-key /etc/bist/key.pem"
        with self.started(alone, serve, {"bist serve": f"bist serve --config {self.settings('/srv/alone')}"}):
            until(lambda: self.answers(alone, f"{SITE}/health/live"), "an answer of the server that ends TLS")
        alone.types("bist sample")
        with self.started(alone, "bist serve --data-dir DIR", {"DIR": "/srv/alone/data"}):
            until(lambda: self.answers(alone, "http://127.0.0.1:8080/health/live"), "an answer of the server")
            alone.types("bist doctor", shows="database")
            instance = {"INSTANCE": "127.0.0.1:8080"}
            alone.types("curl http://INSTANCE/health/live", fill=instance, shows="ok")
            alone.types("curl http://INSTANCE/health/ready", fill=instance, shows='"migrations"')
        alone.types("bist bench limits", shows="ns")

    def settings(self, place: str) -> str:
        path = Path(place, "bist.toml")
        path.write_text(f'[server]\npublic_url = "{SITE}"\n', encoding="utf-8")
        return str(path)

    def started(self, person: Person, text: str, fill: dict[str, str]):
        """A command of the runbook that goes on, until the block ends."""
        self.book.take(text)
        for word, value in fill.items():
            text = text.replace(word, value)
        return Running(person, text)

    def answers(self, person: Person, url: str, options: str = "") -> bool:
        return person.run(f"curl --silent --fail --cacert /etc/bist/fullchain.pem {options} {url}").returncode == 0

    def around(self) -> None:
        self.root.types("install -o bist -g bist -m 400 /dev/null /etc/bist/database-password")
        self.root.types("openssl rand -hex 24 >/etc/bist/database-password")
        role = next(text for text in self.book.found if text.startswith("runuser -u postgres -- psql <<SQL"))
        self.root.types(role, shows="CREATE DATABASE")
        told = self.root.types("bist backup generate-key --out identity.txt", shows="age1")
        self.recipient = re.search(r"age1\w+", told)[0]
        self.root.does("install -o bist -m 400 identity.txt /etc/bist/identity.txt")
        written = self.book.path.read_text(encoding="utf-8").split("```toml")
        settings = next(text for text in written if "database_password" in text).split("```")[0]
        lines = [line.removeprefix("   ") for line in settings.splitlines()]
        backup = ["[backup]", f'recipients = ["{self.recipient}"]', 'identity = "/etc/bist/identity.txt"']
        CONFIG.write_text("\n".join([*lines, *backup, '[limits]', 'default = "100000/min"', ""]), encoding="utf-8")
        balancer = Path("/usr/share/doc/bist/examples/haproxy.cfg").read_text(encoding="utf-8")
        files = int(self.root.does("ulimit -Hn"))
        balancer = balancer.replace("maxconn 20000", f"maxconn {min(20_000, files // 2 - 50)}")
        Path("/etc/haproxy/haproxy.cfg").write_text(balancer, encoding="utf-8")
        self.root.types("install -d -m 700 /etc/haproxy/certs")
        self.root.types("cat fullchain.pem key.pem >/etc/haproxy/certs/bist.pem")
        self.root.types("install -d /var/lib/bist-deploy && echo 1 >/var/lib/bist-deploy/haproxy-servers")
        self.root.types("service haproxy restart")
        until(Path("/run/haproxy/admin.sock").exists, "the socket of HAProxy")

    def first_colour(self) -> None:
        deploy = Path("/usr/share/doc/bist/examples/deploy.conf").read_text(encoding="utf-8")
        quick = {"RUN_BY": "processes", "STEP_S": "2", "DRAIN_S": "2", "PROBE_EVERY_S": "1"}
        # Whoever else works on this machine is no fault of the version.
        quick |= {"READY_S": "180", "P95_MS_MAX": "60000"}
        for name, value in quick.items():
            deploy = re.sub(rf"^{name}=.*$", f"{name}={value}", deploy, flags=re.MULTILINE)
        Path("/etc/bist/deploy.conf").write_text(deploy, encoding="utf-8")
        self.root.types("/usr/lib/bist/deploy switch --binary /usr/bin/bist")
        self.root.types("/usr/lib/bist/deploy status", shows="blue")
        if not self.answers(self.root, f"{SITE}/health/ready"):
            raise Wrong("HAProxy does not pass /health/ready on")
        whole = next(text for text in self.book.found if text.startswith("cd / && runuser -u bist"))
        self.root.types(whole, shows=SITE)
        self.services = Person(
            self.book, Path("/srv/services"), "bist",
            {
                "BIST_CONFIG": str(CONFIG), "BIST_DATA_DIR": "/var/lib/bist",
                "BIST_MASTER_KEY_FILE": "/etc/bist/master.key", "RUST_LOG": "warn",
            },
        )
        self.root.does("install -d -o bist /srv/services && install -o bist -m 400 identity.txt /srv/services/")

    def data(self) -> None:
        write_bars(self.person("/srv/sample", BIST_DATA_DIR="/srv/sample/data"), Path("/srv/bars"))
        self.services.types("bist ingest csv DIR", fill={"DIR": "/srv/bars"})
        self.services.types("bist validate --all")
        self.services.types("bist train")
        self.services.types("bist signals", shows="ensemble")

    def services_of_others(self) -> None:
        place, address = "/srv/others", others.started()
        person = self.person(place, BIST_CONFIG=f"{place}/bist.toml", BIST_DATA_DIR=f"{place}/data")
        Path(place, "bist.toml").write_text(
            f"[sources.yahoo]\nbase_urls.chart = '{address}'\nrequests_per_minute = 600\n"
            f"[sources.algolab]\nbase_urls.api = '{address}/api'\nrequests_per_minute = 600\n"
            "[credentials]\nalgolab = 'secret:algolab'\n",
            encoding="utf-8",
        )
        person.types("bist ingest yahoo --universe bist30 --from 2020-01-01")
        if len(person.json("bist validate --all")["series"]) != 30:
            raise Wrong("there are not 30 shares of what Yahoo was asked for")
        key = "API-YD3rEBXKcb4rc67whX13gR81LAc7YQjXLZgQowkU3/Q=:12345678901:word"
        person.types("bist secrets set algolab", stdin=f"{key}\n")
        person.types("bist secrets sign-in", stdin="123456\n")
        person.does("bist secrets list | grep -w algolab.session")

    # ---- People, programs, secrets

    def people(self) -> None:
        services = self.services
        services.types("bist users create-admin --name NAME", fill={"NAME": "deniz"}, shows=SITE)
        services.types("bist users create-admin", adds=" --name ece", shows=SITE)
        services.types("bist users create ayse --role trader", shows=SITE)
        services.types("bist users list", shows="ayse.*trader")
        services.types("bist users reset ayse", shows=SITE)
        # Who has just been invited has none.
        services.types("bist users remove-second-factor ayse", status=(1,), shows="second factor")
        services.types("bist users sign-out ayse")
        services.types("bist users disable ayse")
        services.does("bist users list | grep ayse | grep -i disabled")
        services.does("bist users enable ayse && bist users create reports --role viewer")
        create = "bist keys create --user reports --name nightly --scope read --address 203.0.113.0/24 --auto-rotate"
        services.types(create, shows="bist_")
        services.types("bist keys list", shows="nightly")
        key = services.json("bist keys list")["items"][0]["id"]
        services.types("bist keys rotate KEY", fill={"KEY": key}, shows="bist_")
        keys = services.json("bist keys list")["items"]
        if len(keys) != 2:
            raise Wrong(f"after the rotation there are not two keys: {keys}")
        # The successor of a rotation by hand was told already.
        successor = next(other["id"] for other in keys if other["id"] != key)
        services.types("bist keys collect SUCCESSOR", fill={"SUCCESSOR": successor}, status=(1,), shows="collect")
        services.types("bist keys revoke KEY", fill={"KEY": key})
        # One that the care of keys has made was not.
        services.does("bist keys create --user reports --name weekly --scope read --days 2 --auto-rotate")
        services.does("bist jobs run key-care --reason 'a try'")
        uncollected = [other["id"] for other in services.json("bist keys list")["items"] if other["is_uncollected"]]
        if len(uncollected) != 1:
            raise Wrong(f"the successors that wait to be collected are {uncollected}")
        services.types("bist keys collect SUCCESSOR", fill={"SUCCESSOR": uncollected[0]}, shows="bist_")
        services.types("bist users erase ayse")
        if services.run("bist users list | grep -w ayse").returncode == 0:
            raise Wrong("who was erased is still in the list")

    def secrets(self) -> None:
        services = self.services
        # The package has made one, which is never overwritten.
        self.root.types("bist secrets generate-key --out /etc/bist/master.key", status=(1,), shows="exists|there")
        services.exports("export BIST_MASTER_KEY_FILE=/etc/bist/master.key")
        services.types("bist secrets set evds", stdin="first\n")
        services.does("echo other >kap.txt")
        services.types("bist secrets set kap --from-file kap.txt")
        services.types("bist secrets list", shows="(?s)evds.*kap")
        services.types("bist secrets rotate evds", stdin="second\n")
        services.does("bist secrets list | grep -E 'evds +2 '")
        services.types("bist secrets remove kap")
        services.types("bist secrets set sentry.dsn", stdin="http://key@127.0.0.1:1/1\n")
        services.types("openssl rand -hex 32 >metrics-token")
        services.types("bist secrets set metrics.token --from-file metrics-token")
        # By a name that is not this machine's, so that the token counts.
        scrape = '--header "Authorization: Bearer $(cat metrics-token)" --header "Host: else.example"'
        ask = lambda: self.answers(services, "http://127.0.0.1:8101/metrics", scrape)  # noqa: E731
        until(ask, "metrics for who has the token")
        services.types("bist secrets rotate metrics.token", stdin="0123456789abcdef0123456789abcdef\n")
        until(lambda: not ask(), "the end of the token of before")

    def audit(self) -> None:
        services = self.services
        services.types("bist audit list --action model --from 2026-11-01", shows="model.registered")
        services.types("bist audit list --action session.refused")
        services.types("bist audit verify", shows="is as it was written")
        self.root.does("install -d -o bist /mnt/elsewhere")
        services.types("bist audit root --out /mnt/elsewhere/root.txt")
        services.types("bist audit verify --root /mnt/elsewhere/root.txt")
        services.types("bist doctor --security", shows=r"\d")
        told = json.loads(services.types("bist doctor --security --json", adds=" 2>/dev/null"))
        is_below = told["score"] < 9.5
        services.types("bist doctor --security --fail-under 9.5", status=(int(is_below),), shows=re.escape(f"{told['score']:.2f}"))

    # ---- Models, findings, jobs

    def models(self) -> None:
        services = self.services
        services.types("bist validate THYAO", fill={"THYAO": self.broken_symbol()}, shows="[0-9a-f]{16}")
        name = self.finding()
        services.types('bist validate accept NAME --reason "..."', fill={"NAME": name, **REASON})
        services.types("bist validate decisions", shows=name)
        versions = services.json("bist models list")["items"]
        version = next(one["id"] for one in versions if one["horizon"] == "5")
        of = {"VERSION": version}
        services.types("bist models table --horizon H --out FILE", fill={"H": 5, "FILE": "table.csv"})
        services.types("bist models export VERSION --format lightgbm --out FILE", fill={**of, "FILE": "trees.txt"})
        services.does("grep -q '^tree' trees.txt && head -1 table.csv | grep -q ,")
        services.types("bist models export VERSION --out FILE", fill={**of, "FILE": "model.zip"})
        services.types("bist models reproduce VERSION", fill=of)
        services.types("bist signals record")
        days = sorted({row["day"] for row in csv.DictReader(Path("/srv/bars/all.csv").open(encoding="utf-8"))})
        services.types(
            'bist models import FILE --horizon H --known-until DATE --reason "..."',
            fill={"FILE": "trees.txt", "H": 5, "DATE": days[len(days) // 2], **REASON},
        )
        versions = services.json("bist models list")["items"]
        candidate = next(one["id"] for one in versions if one["state"] == "candidate")
        services.types("bist models promote", adds=f" {candidate} --reason 'a try'")
        services.types("bist models history", shows=candidate)
        # Elsewhere, with data that are as real.
        other = self.person("/srv/other", BIST_DATA_DIR="/srv/other/data", BIST_MASTER_KEY_FILE="/etc/bist/master.key")
        other.types("bist ingest SOURCE", fill={"SOURCE": "csv /srv/bars"})
        other.types('bist models import FILE --reason "..."', fill={"FILE": "/srv/services/model.zip", **REASON})
        if other.json("bist models list")["items"][0]["id"] != version:
            raise Wrong("a model that was moved has another name")

    def broken_symbol(self) -> str:
        return next(csv.DictReader(Path("/srv/bars/all.csv").open(encoding="utf-8")))["symbol"]

    def finding(self) -> str:
        told = self.services.run(f"bist validate {self.broken_symbol()}").stdout
        return re.search(r"\b[0-9a-f]{16}\b", told)[0]

    def jobs(self) -> None:
        services = self.services
        # Nobody else takes up what is asked for until that is wanted.
        self.root.types("scripts/stop PORT", fill={"scripts/stop": "/usr/lib/bist/stop", "PORT": "worker"})
        told = services.types('bist jobs ask tuning --horizon 5 --reason "..."', fill=REASON, adds=" --json --quiet 2>/dev/null")
        run = {"RUN": json.loads(told)["id"]}
        services.types("bist jobs list", shows="tuning")
        services.types("bist jobs show RUN", fill=run, shows="tuning")
        services.types('bist jobs cancel RUN --reason "..."', fill={**run, **REASON})
        told = services.types('bist jobs ask retraining --reason "..."', fill=REASON, adds=" --json --quiet 2>/dev/null")
        run = {"RUN": json.loads(told)["id"]}
        services.does(f"bist jobs cancel {run['RUN']} --reason 'a try'")
        services.types('bist jobs retry RUN --reason "..."', fill={**run, **REASON})
        services.types('bist jobs run retraining --reason "..."', fill=REASON)
        services.types("bist jobs watch RUN", fill=run)
        services.types('bist jobs run JOB --reason "..."', fill={"JOB": "backup", **REASON})
        services.types("bist jobs list JOB", fill={"JOB": "backup"}, shows="backup")
        services.types("bist jobs list backup", shows="backup")
        services.types('bist jobs run restore-drill --reason "..."', fill=REASON)
        services.types("bist jobs list restore-drill", shows="restore-drill")
        self.root.types("scripts/start", fill={"scripts/start": "/usr/lib/bist/start"})

    # ---- Backups

    def backups(self) -> None:
        services = self.services
        services.types("bist backup create")
        services.types("bist backup list")
        self.backup = services.json("bist backup list")["items"][0]["name"]
        self.file = f"/var/lib/bist/backups/{self.backup}"
        services.types("bist backup verify FILE --identity identity.txt", fill={"FILE": self.file})
        services.types("bist backup verify NAME --identity identity.txt", fill={"NAME": self.backup})
        services.types("bist backup verify NAME --identity identity.txt --restore", fill={"NAME": self.backup})
        self.root.does("mkdir -p opened && cp identity.txt opened")
        opened = Person(self.book, Path("/srv/book/opened"))
        opened.types("age -d -i identity.txt FILE | zstd -d | tar -x", fill={"FILE": self.file})
        opened.does("test \"$(sqlite3 bist.sqlite 'SELECT count(*) FROM bars')\" -gt 1000")
        # A moment between two backups, after which there is somebody more.
        self.moment = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=1)
        until(lambda: datetime.datetime.now(datetime.UTC) > self.moment + datetime.timedelta(seconds=1), "the next second")
        services.does("bist users create later --role viewer && bist backup create")

    def restores(self) -> None:
        key = {"BIST_MASTER_KEY_FILE": "/etc/bist/master.key"}
        for name, text, fill in [
            ("file", "bist --data-dir DIR backup restore FILE --identity identity.txt", {"FILE": self.file}),
            ("now", "bist --data-dir DIR backup restore --at now --from BACKUPS --identity identity.txt", {}),
            (
                "moment",
                "bist --data-dir DIR backup restore --at 2026-11-30T18:05:00+03:00 --from BACKUPS --identity identity.txt",
                {"2026-11-30T18:05:00+03:00": self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")},
            ),
        ]:
            person, place = Person(self.book, Path("/srv/book"), env=key), f"/srv/restored-{name}"
            if "BACKUPS" in text:
                fill["BACKUPS"] = "/var/lib/bist/backups"
            person.types(text, fill={"DIR": place, **fill})
            person.types("bist --data-dir DIR audit verify", fill={"DIR": place}, shows="is as it was written")
            newest = person.json(f"bist --data-dir {place} audit list --limit 1")["items"][0]
            if newest["action"] != "backup.restored":
                raise Wrong(f"the newest record after a restore is {newest}")
            has_later = person.run(f"bist --data-dir {place} users list | grep -qw later").returncode == 0
            if has_later != (name == "now"):
                raise Wrong(f"{text} shows {'what came' if has_later else 'nothing that came'} after its moment")

    def lost_key(self) -> None:
        place = "/srv/lost"
        shutil.copytree("/srv/restored-file", place)
        lost = self.person(place, BIST_DATA_DIR=place, BIST_MASTER_KEY_FILE="/srv/lost/new.key")
        lost.does("touch audit-roots.log && bist secrets generate-key --out new.key")
        if lost.run("bist audit verify").returncode == 0:
            raise Wrong("the audit opens without the key")
        taken = next(text for text in self.book.found if text.startswith("sqlite3 DIR/bist.sqlite"))
        lost.types(taken, fill={"DIR": place})
        lost.types("mv DIR/audit-roots.log DIR/audit-roots-before.log", fill={"DIR": place})
        lost.does("bist secrets list && echo value | bist secrets set evds && bist audit verify")
        lost.types("du -sh DIR/*", fill={"DIR": place}, shows="bist.sqlite")

    def another_key(self) -> None:
        services = self.services
        self.root.types("bist secrets generate-key --out /etc/bist/new.key")
        self.root.types("chown bist: /etc/bist/new.key")
        services.types("bist secrets rekey --new-key-file /etc/bist/new.key")
        services.exports("export BIST_MASTER_KEY_FILE=/etc/bist/new.key")
        services.does("bist audit verify")
        self.root.does("cp /etc/bist/master.key old.key")
        self.root.types("mv /etc/bist/new.key /etc/bist/master.key")
        services.env["BIST_MASTER_KEY_FILE"] = "/etc/bist/master.key"
        self.root.does("/usr/lib/bist/stop && /usr/lib/bist/start")
        services.does("bist audit verify")
        until(lambda: self.answers(self.root, f"{SITE}/health/ready"), "an answer with the other master key")

    # ---- Versions

    def versions(self) -> None:
        self.root.types("bist migrate known", shows=r"\d+")
        self.services.types("bist migrate status", shows="bars")
        self.root.types("/usr/lib/bist/deploy switch --binary ./bist")
        self.root.does("/usr/lib/bist/deploy status | grep green")
        self.root.types("/usr/lib/bist/deploy back")
        self.root.does("/usr/lib/bist/deploy status | grep blue")
        # From a checkout, the same.
        shutil.copy(self.bist, self.checkout / "bist")
        self.builder.types("scripts/deploy switch --binary ./bist", adds=" --keep")
        self.builder.types("scripts/deploy status", shows="green")
        self.builder.types("scripts/deploy forget")
        self.builder.types("scripts/deploy back")
        self.builder.does("scripts/deploy status | grep blue")
        self.builder.types("scripts/stop PORT", fill={"PORT": "8101"})
        self.builder.types("scripts/start")
        until(lambda: self.answers(self.root, f"{SITE}/health/ready"), "an answer after all switches")
        self.builder.types("scripts/stop")

    def move(self) -> None:
        # The database of before goes, the same is filled anew, and now it shows who it is.
        cluster = Path(self.root.does("ls -d /etc/postgresql/*/main").strip())
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30"
        self.root.does(
            f"openssl req -x509 {key} -subj /CN=authority -keyout ca.key -out ca.pem && "
            f"openssl req -x509 -CA ca.pem -CAkey ca.key {key} -subj /CN=db.example -addext basicConstraints=CA:FALSE "
            "-addext subjectAltName=DNS:db.example -keyout db.key -out db.pem && "
            f"install -o postgres -m 600 db.key db.pem {cluster} && "
            "cp ca.pem /usr/local/share/ca-certificates/db.crt && update-ca-certificates"
        )
        with (cluster / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"ssl = on\nssl_cert_file = '{cluster}/db.pem'\nssl_key_file = '{cluster}/db.key'\n")
        self.root.does(f"pg_ctlcluster {cluster.parent.name} main restart")
        self.root.does(
            "runuser -u postgres -- dropdb bist && runuser -u postgres -- createdb --owner bist --template template0 "
            "--encoding UTF8 --lc-collate C --lc-ctype C.UTF-8 bist"
        )
        mover = self.person("/srv/mover", BIST_MASTER_KEY_FILE="/etc/bist/master.key")
        mover.does("umask 077 && echo db.example:5432:bist:bist:$(cat /etc/bist/database-password) >~/.pgpass")
        mover.types(
            "bist --data-dir DIR migrate copy --from sqlite: --to 'postgres://bist@db.example/bist?sslmode=verify-full'",
            fill={"DIR": "/srv/restored-file"}, shows="bars",
        )

    def containers(self) -> None:
        place = self.person("/srv/containers")
        place.does("cp /srv/book/fullchain.pem /srv/book/key.pem .")
        shutil.copytree(self.checkout / "deploy", place.place / "deploy")
        shutil.copytree(self.checkout / "scripts", place.place / "scripts")
        place.types("install -d -m 700 secrets")
        place.types("bist secrets generate-key --out secrets/master.key")
        place.types("cp fullchain.pem key.pem secrets/")
        place.types("chown 65532 secrets/*.key secrets/key.pem && chmod 400 secrets/*.key secrets/key.pem")
        place.does("cd secrets && touch database-password haproxy.pem metrics-token smtp-password webhook-token grafana-password")
        place.types("chown 65532 secrets/database-password secrets/master.key")
        place.types("chown 99 secrets/haproxy.pem")
        place.types("chown 65534 secrets/metrics-token secrets/smtp-password secrets/webhook-token")
        place.types("chown 472 secrets/grafana-password")
        place.types("chmod 400 secrets/*")
        place.types("install -d -o 99 run/haproxy && install -d run/deploy && echo 1 >run/deploy/haproxy-servers")
        place.types(r"printf '%s\n' BIST_PUBLIC_URL=https://bist.example BIST_IMAGE=bist:OLD BIST_IMAGE_BLUE=bist:OLD >.env")
        place.types(r"printf '%s\n' BIST_IMAGE_GREEN=bist:NEW COMPOSE_PROFILES=green >>.env")
        place.types("sed -i 's/^BIST_IMAGE=.*/BIST_IMAGE=bist:NEW/' .env")
        if place.does("grep -c NEW .env").strip() != "2":
            raise Wrong("the images of both lines are not the new one")

    def balancer_of_containers(self) -> None:
        """HAProxy as compose.production.yaml starts it, with its folders where they are in the container."""
        place = self.person("/srv/containers")
        place.does("service haproxy stop")
        for here, there in [("run/haproxy", "/run/haproxy"), ("run/deploy", "/var/lib/bist-deploy")]:
            place.does(f"install -d {there} && mount --bind {here} {there}")
        place.does("sed 's/maxconn 20000/maxconn 200/' deploy/haproxy/haproxy.cfg >haproxy.cfg")
        socket = Path("/run/haproxy/admin.sock")
        place.defines(next(text for text in self.book.found if text.startswith("balancer()")))
        with Running(place, "haproxy -f haproxy.cfg", signal.SIGUSR1):
            until(socket.exists, "the socket of HAProxy")
            for text, blue, green in [
                ("balancer give blue 100 && balancer hold green", (READY, 100), (HELD, 0)),
                ("balancer hold green", (READY, 100), (HELD, 0)),
                ("balancer give green 10", (READY, 90), (READY, 10)),
                ("balancer give green 100", (DRAINED, 0), (READY, 100)),
                ("sleep 25 && balancer hold blue", (HELD, 0), (READY, 100)),
            ]:
                place.types(text, fill={"sleep 25": "sleep 0.1"} if "sleep" in text else None)
                self.are_told(place, blue, green)
        socket.unlink(missing_ok=True)
        # What was told last holds for the next start.
        with Running(place, "haproxy -f haproxy.cfg", signal.SIGUSR1):
            until(socket.exists, "the socket of HAProxy")
            self.are_told(place, (HELD, 0), (READY, 100))

    def are_told(self, person: Person, blue: tuple[int, int], green: tuple[int, int]) -> None:
        """Whether HAProxy has for the servers of both colours what is said of them, and this weight."""
        told = person.does("echo 'show servers state bist' | socat - UNIX-CONNECT:/run/haproxy/admin.sock")
        rows = [line.split() for line in told.splitlines() if line.split()[1:2] == ["bist"]]
        states = {row[3]: (int(row[6]), int(row[7])) for row in rows}
        wanted = {"blue1": blue, "blue2": blue, "green1": green, "green2": green}
        if states != wanted:
            raise Wrong(f"HAProxy has {states} and not {wanted}")

    def watchers(self) -> None:
        shutil.copytree(self.checkout / "deploy/prometheus", "/etc/prometheus/bist", dirs_exist_ok=True)
        Path("/etc/prometheus/bist/token").touch()
        self.builder.types("promtool check config /etc/prometheus/bist/prometheus.yml")
        self.builder.types("promtool test rules deploy/prometheus/rules_test.yml deploy/prometheus/rules_slow_test.yml")
        self.builder.types("amtool check-config /etc/prometheus/bist/alertmanager.yml", shows="SUCCESS")
        started = "prometheus --config.file=/etc/prometheus/bist/prometheus.yml --storage.tsdb.path=/srv/prometheus"
        with Running(self.root, f"{started} --web.listen-address=127.0.0.1:9090") as prometheus:
            metric = "prometheus_config_last_reload_success_timestamp_seconds"
            read_at = lambda: self.root.run(f"curl -fs http://127.0.0.1:9090/metrics | grep ^{metric}").stdout  # noqa: E731
            until(read_at, "Prometheus with the rules")
            before = read_at()
            self.root.types("kill -HUP", adds=f" {prometheus.child.pid}")
            until(lambda: read_at() not in ("", before), "Prometheus with the rules of now")


class Running:
    """A command that goes on beside what is typed, until it is told to stop by a signal."""

    def __init__(self, person: Person, text: str, stop: signal.Signals = signal.SIGTERM) -> None:
        self.person, self.text, self.stop = person, text, stop

    def __enter__(self) -> "Running":
        env = os.environ | self.person.env
        self.child = subprocess.Popen(
            ["bash", "-c", f"exec {self.text}"], cwd=self.person.place, env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.child.send_signal(self.stop)
        if self.child.wait(30):
            raise Wrong(f"`{self.text}` ended with {self.child.returncode}")


def write_bars(person: Person, folder: Path) -> None:
    """Bars as somebody would bring them, one of them wrong, of a small market that obeys the rules."""
    person.does(f"bist sample --symbols {SYMBOLS} --years {YEARS}")
    database = sqlite3.connect(f"{person.env['BIST_DATA_DIR']}/bist.sqlite")
    istanbul = zoneinfo.ZoneInfo("Europe/Istanbul")
    folder.mkdir(parents=True)
    with (folder / "all.csv").open("w", encoding="utf-8") as file:
        file.write("symbol,day,open,high,low,close,volume\n")
        query = (
            "SELECT symbol, opened_at, open_units, high_units, low_units, close_units, volume_shares FROM bars "
            "WHERE bar_interval = '1d' ORDER BY symbol, opened_at"
        )
        for number, (symbol, opened_at, *prices, volume) in enumerate(database.execute(query)):
            day = datetime.datetime.fromtimestamp(opened_at, istanbul).date()
            if number == 400:
                prices[1] = prices[2] // 2
            told = ["" if price is None else f"{price / 10_000:.4f}" for price in prices]
            file.write(f"{symbol},{day},{','.join(told)},{volume}\n")

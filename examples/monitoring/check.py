#!/usr/bin/env python3
"""Checks the monitoring files against a server that runs, with a real Prometheus.

    examples/monitoring/check.py --url http://127.0.0.1:8080

Every query of every panel must give a number, every rule must evaluate, promtool must be content, and the alerts must
fire when rules_test.yml says so. The server is asked some questions meanwhile, so that there is something to measure.
With --fault it is told besides from when on a source is slow and another fails, as in

    serve --patient --control act --slow punctuation=800@30+90 --fail length=40@30+90
    load --rate 50 --seconds 90
    examples/monitoring/check.py --fault 30

and the dashboard's own queries must show that both are found within 30 s, and put right.
Needs `prometheus` and `promtool` (Debian's package `prometheus`) and nothing but Python's standard library.
"""

import argparse
import contextlib
import json
import math
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Seconds between two scrapes, and between two evaluations of rules.
EVERY = 1
# What is recorded or exported by name, in a rule's query.
SERIES = re.compile(r"\b(?:consilience_|process_|instance:|route:)[\w:]+")
# What Grafana puts in place of its variables; its interval is four scrapes, or more.
VARIABLES = {"$__rate_interval": f"{10 * EVERY}s", "$instance": ".*"}
# What a slow and a failing source show in: the panel, a part of the query, and the most that is as it should be.
SHOWS = [("Latency of questions", "0.95", 0.2), ("Calls of sources that fail", "", 0.05)]
# Seconds after which a fault must have been found, and be put right.
FOUND, RIGHT = 30, 50


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the server")
    parser.add_argument("--token-file", type=Path, help="a file with the server's token")
    parser.add_argument("--seconds", type=float, default=60, help="how long to wait for the last query's data")
    parser.add_argument("--idle", action="append", default=[], metavar="TITLE", help="a panel whose queries must succeed"
                        " but may give nothing, since the server does not do what it shows")
    parser.add_argument("--fault", type=float, metavar="SECONDS", help="a source is made slow, and another to fail, so"
                        " many seconds after the server began and for long, and the controller acts")
    args = parser.parse_args()

    promtool("check", "rules", HERE / "rules.yml")
    promtool("check", "config", HERE / "prometheus.yml")
    promtool("test", "rules", HERE / "rules_test.yml")
    queries = dashboard(args.idle)
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder), args) as base:
        # Without it every check would fail, and a server that is not the one that was meant would be asked.
        if failed := wait(10, lambda: scraped(base)):
            sys.exit(failed[0])
        failed, firing = watch(base, queries, args)
        if args.fault is not None:
            failed += relief(base, queries, args.fault)
    for line in failed:
        print(line)
    print(f"{len(queries)} queries; firing: {', '.join(firing) or 'no alert'}")
    if failed:
        sys.exit(f"{len(failed)} checks failed")


def watch(base, queries, args):
    """What is wrong in the end, and which alerts fire."""
    with questions(args):
        failed = wait(args.seconds, lambda: panels(base, queries)) + wait(args.seconds, lambda: rules(base))
        firing = sorted({alert["labels"]["alertname"] for alert in get(base, "alerts")["alerts"]
                         if alert["state"] == "firing"})
    return failed, firing


def relief(base, queries, after):
    """What is wrong with how two faults are found and put right, by what the dashboard shows."""
    began = float(get(base, "query", query="min(process_start_time_seconds)")["result"][0]["value"][1]) + after
    time.sleep(max(0, began + RIGHT - time.time()))

    def times(panel, part, holds):
        """After how many seconds this held."""
        (query,) = [query for title, query, *_ in queries if title == panel and part in query]
        result = get(base, "query_range", query=query, start=began, end=time.time(), step=EVERY)["result"]
        return [at - began for series in result for at, value in series["values"] if holds(float(value))]

    failed = []
    found = times("Controller: actions and alarms", "alarms", lambda alarms: alarms > 0)
    if not found or found[0] > FOUND:
        failed.append(f"nothing out of the ordinary was found within {FOUND} s: {found[:1]}")
    resting = times("Controller: shedding and resting", "resting", lambda sources: sources == 2)
    if not resting:
        failed.append("two sources should rest")
    for panel, part, most in SHOWS:
        over = times(panel, part, lambda value, most=most: value > most)
        print(f"{panel}: above {most} from {over[:1]} to {over[-1:]} s after the faults began")
        if not over or over[-1] > RIGHT - 3 * EVERY:
            failed.append(f"{panel} should exceed {most} and do so no more")
    print(f"the first alarm {found[:1]}, two sources at rest {resting[:1]} s after it")
    return failed


def promtool(*arguments):
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


def dashboard(idle):
    """The title, the query, whether it is of one instant, and whether it may give nothing, of all panels' queries."""
    board = json.loads((HERE / "dashboard.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    titles = [panel["title"] for panel in board["panels"]]
    if len(set(ids)) != len(ids) or len(set(titles)) != len(titles):
        sys.exit("dashboard.json: two panels have the same id or title")
    if unknown := set(idle) - set(titles):
        sys.exit(f"--idle: no panel is called {', '.join(sorted(unknown))}")
    queries = [
        (panel["title"], substituted(target["expr"]), target.get("instant", False), panel["title"] in idle)
        for panel in board["panels"]
        for target in panel["targets"]
    ]
    # Nothing may be firing, so nothing need be found.
    queries += [(f"annotation {a['name']}", substituted(a["expr"]), True, True) for a in board["annotations"]["list"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            values = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"])
            if not values:
                sys.exit(f"dashboard.json: variable {variable['name']} is not understood: {variable['definition']}")
            queries.append((f"variable {variable['name']}", f"count by ({values[2]}) ({values[1]})", True, False))
    return queries


def substituted(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    if "$" in query:
        sys.exit(f"dashboard.json: a variable that is not known in {query}")
    return query


@contextlib.contextmanager
def prometheus(folder, args):
    """Runs a Prometheus with these files against the server; gives its address."""
    address = urllib.parse.urlsplit(args.url).netloc
    config = (HERE / "prometheus.yml").read_text()
    config = re.sub(r"(scrape|evaluation)_interval: \w+", rf"\1_interval: {EVERY}s", config)
    config = config.replace("- rules.yml", f"- {json.dumps(str(HERE / 'rules.yml'))}")
    target = json.dumps("localhost:8080")
    if config.count(target) != 1:
        sys.exit(f"prometheus.yml: no single target {target}")
    config = config.replace(target, json.dumps(address))
    if args.token_file:
        job = "  - job_name: consilience\n"
        token = json.dumps(str(args.token_file.resolve()))
        config = config.replace(job, f"{job}    authorization:\n      credentials_file: {token}\n")
    (folder / "prometheus.yml").write_text(config)
    promtool("check", "config", folder / "prometheus.yml")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdout=output, stderr=subprocess.STDOUT)
    base = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while not answers(f"{base}/-/ready"):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"prometheus did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def questions(args):
    """Asks the server questions, ten a second."""
    headers = {"Content-Type": "application/json"}
    if args.token_file:
        headers["Authorization"] = f"Bearer {args.token_file.read_text().strip()}"
    ended = threading.Event()

    def ask():
        number = 0
        while not ended.wait(0.1):
            body = json.dumps({"question": f"is {number} even?"}).encode()
            request = urllib.request.Request(f"{args.url}/api/v1/unified/process", body, headers)
            # What becomes of it is what the panels show.
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
            number += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def wait(seconds, check):
    """What is wrong in the end; it is tried until nothing is, for so long."""
    until = time.monotonic() + seconds
    while (failed := check()) and time.monotonic() < until:
        time.sleep(EVERY)
    return failed


def scraped(base):
    targets = get(base, "targets", state="active")["activeTargets"]
    if not targets:
        return ["prometheus has no target"]
    return [f"{t['scrapeUrl']} is {t['health']}: {t['lastError']}" for t in targets if t["health"] != "up"]


def panels(base, queries):
    failed = []
    for title, query, is_instant, may_be_empty in queries:
        now = time.time()
        try:
            if is_instant:
                result = get(base, "query", query=query, time=now)["result"]
                values = [series["value"] for series in result]
            else:
                result = get(base, "query_range", query=query, start=now - 20 * EVERY, end=now, step=EVERY)["result"]
                values = [value for series in result for value in series["values"]]
        except OSError as error:
            failed.append(f"{title}: {error}: {query}")
            continue
        if not may_be_empty and not any(math.isfinite(float(value)) for _, value in values):
            failed.append(f"{title}: {'nothing but NaN' if values else 'no data'}: {query}")
    return failed


def rules(base):
    groups = get(base, "rules")["groups"]
    failed = [] if groups else ["no rules"]
    for group in groups:
        for rule in group["rules"]:
            # Before the first evaluation its health is unknown.
            if rule["health"] != "ok":
                failed.append(f"rule {rule['name']}: {rule['health']} {rule.get('lastError', '')}")
            # A rule over a series that is not there is healthy, and will never say anything.
            for name in sorted({rule["name"]} if rule["type"] == "recording" else set(SERIES.findall(rule["query"]))):
                if not get(base, "query", query=f"count({name})")["result"]:
                    failed.append(f"rule {rule['name']}: there is no {name}")
    return failed


def get(base, what, **parameters):
    url = f"{base}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        # Prometheus says in the body what it does not like.
        raise OSError(error.read().decode(errors="replace")) from error


if __name__ == "__main__":
    main()

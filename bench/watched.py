"""When reports are seen on their way, by a subscriber and in InfluxDB: what bench/latency and bench/replay have in common."""

import concurrent.futures
import contextlib
import datetime
import json
import subprocess
import threading
import time

import beside

# So that the query that looks for points is no load that slows down what it measures.
LOOK_EVERY_S = 0.05


def unix(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def ledger(path):
    """When each report was shown, by inverter and its time."""
    with open(path, encoding="utf-8") as file:
        reports = map(json.loads, file)
        return {(one["inverter"], int(unix(one["reported_at"]))): unix(one["shown_at"]) for one in reports}


class Seen:
    """When each report was first seen, by inverter and its time."""

    def __init__(self):
        self.times = {}

    def see(self, inverter, reported_at, now):
        self.times.setdefault((inverter, int(unix(reported_at))), now)

    def late_ms(self, shown, where):
        """How much later than it was shown each of these was seen; none may be missing."""
        missing = [report for report in shown if report not in self.times]
        if missing or not shown:
            beside.fail(f"of {len(shown)} reports {len(missing)} were never {where}")
        return [1000 * (self.times[report] - at) for report, at in shown.items()]


class Watch:
    """A subscriber to the plain topics, and a query for the newest points from `start` on, while they run."""

    def __init__(self, broker, influx, start):
        self.broker, self.influx, self.start = broker, influx, start
        self.published, self.readable = Seen(), Seen()
        self.threads = concurrent.futures.ThreadPoolExecutor(2)

    def listen(self, client):
        """Mosquitto's own client says when it got each message."""
        for line in client.stdout:
            now, payload = line.split(" ", 1)
            reading = json.loads(payload)
            self.published.see(reading["serial"], reading["reported_at"], float(now))

    def look(self, ended):
        query = (f'from(bucket: "first") |> range(start: {self.start}) '
                 '|> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power") |> last() |> keep(columns: ["serial", "_time"])')
        while not ended.wait(LOOK_EVERY_S):
            answer = self.influx.ask(f"/api/v2/query?org={beside.ORG}", query.encode()).replace("\r", "")
            now, columns = time.time(), None
            for row in (line.split(",") for line in answer.split("\n")):
                if "serial" in row:
                    columns = row.index("serial"), row.index("_time")
                elif columns and len(row) > max(columns):
                    self.readable.see(row[columns[0]], row[columns[1]], now)

    @contextlib.contextmanager
    def running(self):
        ended = threading.Event()
        subscriber = ["docker", "exec", self.broker.container, "mosquitto_sub", "-p", str(self.broker.port), "-q", "1", "-t", "envoy/+/inverters/+",
                      "-F", "%U %p"]
        with subprocess.Popen(subscriber, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as client:
            watchers = [self.threads.submit(self.listen, client), self.threads.submit(self.look, ended)]
            try:
                yield watchers
            finally:
                # The receiver has stored what it had by its end.
                time.sleep(1)
                ended.set()
                client.terminate()
        for watcher in watchers:
            # A failure of its own ends the measurement.
            watcher.result()


def wait(watchers, seconds):
    """So long, while both of them look on."""
    done, _ = concurrent.futures.wait(watchers, timeout=seconds, return_when=concurrent.futures.FIRST_COMPLETED)
    for watcher in done:
        # Neither ends before it is told to.
        watcher.result()
        beside.fail("mosquitto_sub has ended")

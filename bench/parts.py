"""The parts of the chain that bench/soak runs: programs and servers that can be killed and started again."""

import contextlib
import csv
import io
import json
import os
import signal
import socket
import subprocess

import beside

SCRAPER = """[testing]
keep_alive = "2s"
backoff_cap = "500ms"
announce_every = "5s"
poll_interval = "250ms"
envoy_timeout = "2s"
journal_retry = "1s"
"""
RECEIVER = """[testing]
keep_alive = "2s"
backoff_cap = "500ms"
announce_every = "5s"
audit_after = "5s"
store_timeout = "2s"
"""



class Daemon:
    """One of our programs, which can be killed and started again."""

    def __init__(self, name, directory, *command, **environment):
        self.name, self.directory, self.command, self.environment = name, directory, command, environment
        self.log, self.process, self.starts = f"{directory}.log", None, 0

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, env={"PATH": os.environ["PATH"], "TZ": "UTC", **self.environment},
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.starts += 1

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pid(self):
        if self.process.poll() is not None:
            beside.fail(f"{self.name} has ended with {self.process.returncode}; the end of its log:\n{self.said()[-2000:]}")
        return self.process.pid

    def said(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def disk_mib(self):
        found = (os.path.join(at, file) for at, _, files in os.walk(self.directory) for file in files)
        # What is allocated: the journal's file may have holes.
        return sum(512 * os.stat(path).st_blocks for path in found) / 2**20

    @contextlib.contextmanager
    def running(self):
        self.start()
        try:
            yield self
        finally:
            if self.process.poll() is None:
                self.process.terminate()
                # It may have been stopped.
                self.process.send_signal(signal.SIGCONT)
                self.process.wait(timeout=beside.DEADLINE_S)


class Container:
    """A server in a container, which is stopped and started again with all that it has on its disk."""

    def __init__(self, name, container, port, data, is_ready):
        self.name, self.container, self.port, self.data, self.is_ready, self.starts = name, container, port, data, is_ready, 1

    def do(self, command):
        beside.run("docker", command, self.container)

    def again(self):
        self.do("start")
        self.starts += 1
        beside.until(self.name, lambda: beside.listens(self.port) and self.is_ready())

    def wipe(self):
        """Killed, it does not write what it had in memory."""
        beside.run("docker", "exec", self.container, "sh", "-c", f"rm -rf {self.data}/*")
        self.do("kill")

    def pid(self):
        return int(beside.run("docker", "inspect", "--format", "{{.State.Pid}}", self.container))

    def disk_mib(self):
        return int(beside.run("docker", "exec", self.container, "sh", "-c", f"du -sk {self.data}").split()[0]) / 1024


class Home:
    """A simulated Envoy, its scraper, and what it has shown."""

    def __init__(self, soak, name, serial, firmwares, *options):
        self.serial, self.firmwares, self.place, port = serial, firmwares, f"{soak.work}/{name}", beside.free_port()
        self.port, self.shown, self.read_up_to = port, {}, 0
        os.mkdir(self.place)
        self.simulator = Daemon(
            f"simulator {name}", f"{self.place}/simulator", f"{soak.programs}/envoy-simulator", "--listen", f"127.0.0.1:{port}",
            "--serial", serial, "--inverters", str(soak.inverters), "--firmware", firmwares[0], "--report-interval", "900", "--start", soak.first_day,
            "--speed", str(soak.speed), "--hold", "127.0.0.1", "--ledger", f"{self.place}/ledger", "--token-out", f"{self.place}/token",
            "--control", f"{self.place}/control", *options)
        self.scraper = Daemon(
            f"scraper {name}", f"{self.place}/scraper", f"{soak.programs}/envoy-scraper", "--config", f"{soak.work}/scraper.toml",
            ENVOY_HOST=f"https://127.0.0.1:{port}", ENVOY_TOKEN_FILE=f"{self.place}/token", STATE_DIR=f"{self.place}/scraper", JOURNAL_SIZE="8MiB",
            MQTT_URL=f"mqtt://127.0.0.1:{soak.from_scrapers.port}")

    def control(self, line):
        """The simulator has done what the line says."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(beside.DEADLINE_S)
            client.connect(f"{self.place}/control")
            client.sendall(line.encode() + b"\n")
            answer = client.makefile().readline().strip()
        if answer != "ok":
            beside.fail(f"the simulator answers {line!r} with {answer!r}")

    def reports(self):
        """What it has shown: the powers of each inverter at each time."""
        with open(f"{self.place}/ledger", "rb") as file:
            file.seek(self.read_up_to)
            whole = file.read().rpartition(b"\n")[0]
        self.read_up_to += len(whole) + 1 if whole else 0
        for one in map(json.loads, whole.splitlines()):
            self.shown[one["inverter"], one["reported_at"]] = one["power_w"], one["peak_power_w"]
        return self.shown


class Receiver(Daemon):
    """A receiver with a bucket of its own."""

    def __init__(self, soak, name):
        self.bucket, self.influx = f"of-{name}", soak.database
        self.influx.bucket(self.bucket)
        state = f"{soak.work}/receiver-{name}"
        super().__init__(f"receiver {name}", state, f"{soak.programs}/envoy-receiver", "--config", f"{soak.work}/receiver.toml",
                         RECEIVER_NAME=name, STATE_DIR=state, MQTT_URL=f"mqtt://127.0.0.1:{soak.from_receivers.port}",
                         INFLUX_URL=f"http://127.0.0.1:{soak.to_store.port}", INFLUX_TOKEN=beside.TOKEN, INFLUX_ORG=beside.ORG,
                         INFLUX_BUCKET=self.bucket)

    def query(self, field):
        return (f'from(bucket: "{self.bucket}") |> range(start: 0) |> '
                f'filter(fn: (r) => r._measurement == "inverterPower" and r._field == "{field}")')

    def count(self):
        return self.influx.value(f"{self.query('power')} |> group() |> count()")

    def stored(self, serial):
        """What it has stored of an Envoy, as that has shown it."""
        powers = {}
        for place, field in enumerate(("power", "maxPower")):
            flux = f'{self.query(field)} |> filter(fn: (r) => r.envoySerial == "{serial}") |> keep(columns: ["_time", "_value", "serial"])'
            columns = None
            for row in csv.reader(io.StringIO(self.influx.ask(f"/api/v2/query?org={beside.ORG}", flux.encode()))):
                if "_value" in row:
                    columns = [row.index(name) for name in ("serial", "_time", "_value")]
                elif row and columns:
                    inverter, at, watts = (row[column] for column in columns)
                    powers.setdefault((inverter, at), [None, None])[place] = int(watts)
        return {key: tuple(pair) for key, pair in powers.items()}


class Sample:
    """What a process takes at a moment."""

    def __init__(self, part):
        taken = beside.Taken(part.pid())
        self.memory, self.disk = taken.memory_mib("VmRSS"), part.disk_mib()
        with open(f"/proc/{taken.pid}/status", encoding="ascii") as status:
            self.threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
        try:
            self.files = len(os.listdir(f"/proc/{taken.pid}/fd"))
        except PermissionError:
            # A server's, which runs as another user.
            self.files = None

"""What the measurements beside other programs have in common: servers in containers, what a process took, and the table.

The servers share the machine's network and listen on loopback only: Docker's own proxy would be measured with them.
Takes Linux, for /proc.
"""

import contextlib
import datetime
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOKEN = "token-of-this-measurement"
ORG = "home"
DEADLINE_S = 120

# Whoever is stopped takes its containers and programs with it.
for ending in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(ending, lambda number, _: sys.exit(128 + number))

# What is wrong with the environment.
mistakes = []


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def misused(*said):
    """What is asked for makes no sense: nothing was measured."""
    for one in said:
        print(f"{os.path.basename(sys.argv[0])}: {one}", file=sys.stderr)
    sys.exit(64)


def numbers(name, default, least, kind=int, step=1):
    """A variable with numbers that are not below `least`, and multiples of `step`."""
    text, found = os.environ.get(name, default), []
    for word in text.split():
        try:
            found.append(kind(word))
        except ValueError:
            found.append(least - 1)
    if not found or any(one < least or one % step for one in found):
        multiples = f", multiples of {step}" if step != 1 else ""
        mistakes.append(f"{name} is {text!r}, and takes numbers from {least} on{multiples} (default: {default})")
    return found


def number(name, default, least, kind=int):
    """The same with one number."""
    found = numbers(name, default, least, kind)
    if len(found) > 1:
        mistakes.append(f"{name} is {os.environ[name]!r}, and takes one number (default: {default})")
    return found[0] if found else least


def words(name, default, known):
    """A variable with some of these words."""
    text = os.environ.get(name, default)
    if not text.split() or set(text.split()) - set(known):
        mistakes.append(f"{name} is {text!r}, and takes of these: {' '.join(known)} (default: {default})")
    return text.split()


def word(name, default, known):
    """The same with one word."""
    found = words(name, default, known)
    if len(found) > 1:
        mistakes.append(f"{name} is {os.environ[name]!r}, and takes one word (default: {default})")
    return found[0] if found else default


def check_settings():
    """Before anything is started."""
    if mistakes:
        misused(*mistakes)


def built(*programs):
    """The folder with these programs: BIN where that is given, else they are built, with all others so that no crate is
    compiled once for each of them."""
    if "BIN" in os.environ:
        folder = os.path.abspath(os.environ["BIN"])
        missing = [one for one in programs if not os.access(f"{folder}/{one}", os.X_OK)]
        if missing:
            misused(f"BIN is {os.environ['BIN']!r}, where there is no {' and no '.join(missing)}")
        return folder
    packages = [part for package in ("bench", "receiver", "scraper", "simulator", "standalone") for part in ("--package", package)]
    chosen = [part for program_name in programs for part in ("--bin", program_name)]
    subprocess.run(["cargo", "build", "--release", "--quiet", *packages, *chosen], cwd=ROOT, check=True)
    # Where it is relative, it is so to where Cargo was started.
    return os.path.join(ROOT, os.environ.get("CARGO_TARGET_DIR", "target"), "release")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, look, seconds=DEADLINE_S, pause=0.1):
    """What `look` returns once that is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            fail(f"{what}: not within {seconds} s")
        time.sleep(pause)


def run(*command):
    if not shutil.which(command[0]):
        fail(f"there is no {command[0]} in PATH")
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        fail(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def container(image, *options, command=()):
    name = f"envoy-scrape-bench-{os.getpid()}-{free_port()}"
    try:
        run("docker", "run", "--detach", "--name", name, "--network", "host", *options, image, *command)
        yield name
    finally:
        if shutil.which("docker"):
            subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Broker:
    """Where a Mosquitto listens, and the container that it is in."""

    def __init__(self, name, port):
        self.container, self.port, self.url = name, port, f"mqtt://127.0.0.1:{port}"


@contextlib.contextmanager
def mosquitto(work):
    """A Mosquitto with the shipped limits, but without accounts."""
    port = free_port()
    with open(f"{ROOT}/mosquitto/mosquitto.conf", encoding="utf-8") as file:
        text = file.read()
    for was, shall_be in (("listener 1883", f"listener {port} 127.0.0.1"), ("allow_anonymous false", "allow_anonymous true"),
                          (r"password_file .*", ""), (r"acl_file .*", "")):
        text, replaced = re.subn(f"(?m)^{was}$", shall_be, text)
        if replaced != 1:
            fail(f"mosquitto.conf has no line {was!r} any more")
    os.mkdir(f"{work}/mosquitto")
    with open(f"{work}/mosquitto/mosquitto.conf", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(work, 0o755)
    with container(os.environ.get("MOSQUITTO_IMAGE", "eclipse-mosquitto:2.0"), "--volume", f"{work}/mosquitto:/mosquitto/config:ro") as name:
        until("Mosquitto", lambda: listens(port))
        yield Broker(name, port)


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Refused(OSError):
    """InfluxDB's answer was no success."""


class InfluxDb:
    """A real one, set up, and the container that it is in."""

    def __init__(self, name, port):
        self.container, self.url = name, f"http://127.0.0.1:{port}"
        until("InfluxDB", lambda: listens(port) and self.is_ready())
        self.ask("/api/v2/setup", {"username": "admin", "password": "password-of-this", "org": ORG, "bucket": "first", "token": TOKEN})
        self.org = json.loads(self.ask("/api/v2/orgs"))["orgs"][0]["id"]

    def is_ready(self):
        try:
            return json.loads(self.ask("/health"))["status"] == "pass"
        except OSError:
            return False

    def ask(self, path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/vnd.flux" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(self.url + path, data, {"Authorization": f"Token {TOKEN}", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(f"InfluxDB answers {error.code} to {path}: {error.read().decode()}") from error

    def bucket(self, name):
        self.ask("/api/v2/buckets", {"orgID": self.org, "name": name, "retentionRules": []})

    def taken(self):
        """How many points it has accepted since it started, in all buckets."""
        return int(float(re.search(r"(?m)^storage_writer_ok_points_sum\S* (\S+)$", self.ask("/metrics"))[1]))

    def value(self, flux):
        """The first `_value` that a query finds, 0 without one."""
        answer = self.ask(f"/api/v2/query?org={ORG}", flux.encode()).replace("\r", "")
        rows = [row.split(",") for row in answer.split("\n") if row and not row.startswith("#")]
        return int(rows[1][rows[0].index("_value")]) if len(rows) > 1 else 0


@contextlib.contextmanager
def influxdb():
    port = free_port()
    with container(os.environ.get("INFLUXDB_IMAGE", "influxdb:2.7"), "--entrypoint", "influxd", command=("--http-bind-address", f"127.0.0.1:{port}")) as name:
        yield InfluxDb(name, port)


class Taken:
    """What a process has taken so far."""

    def __init__(self, pid, process=None, log=None):
        self.pid, self.process, self.log = pid, process, log

    def still_runs(self, name):
        """Fails with its last words where it has ended by itself."""
        code = self.process.poll()
        if code is not None:
            with open(self.log, encoding="utf-8", errors="replace") as said:
                fail(f"{name} has ended with {code}: {' / '.join(said.read().splitlines()[-3:])}")

    def cpu_s(self):
        """Seconds of the processors, in the program and in the kernel for it, to the nanosecond: the clock that Linux has
        for each process, threads that have ended among them."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def memory_mib(self, name="VmHWM"):
        """Its resident memory: VmRSS now, VmHWM the most that there was."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


@contextlib.contextmanager
def program(*command, log, **environment):
    """A process while it runs, and what it takes."""
    with open(log, "ab") as file:
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], "TZ": "UTC", **environment}, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        yield Taken(process.pid, process, log)
    finally:
        process.terminate()
        process.wait(timeout=DEADLINE_S)


def telegraf():
    """TELEGRAF, or the one that is found; and its name with its version, which one says only as its makers build it."""
    path = os.environ.get("TELEGRAF") or shutil.which("telegraf")
    if not path:
        misused("there is no telegraf. It is in Debian's and InfluxData's packages (apt-get install telegraf) and in the image `telegraf`; "
                "or TELEGRAF=FILE names one, with the plugins mqtt_consumer, json_v2 and influxdb_v2")
    if not (os.path.isfile(path) and os.access(path, os.X_OK)):
        misused(f"TELEGRAF is {path!r}, which is no program")
    said = run(path, "--version").split()
    if len(said) < 2:
        misused(f"TELEGRAF is {path!r}, and does not say its version")
    version = said[1]
    return path, "Telegraf" if version == "unknown" else f"Telegraf {version}"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def middle(values, form):
    """The median, with the least and the most."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def table(head, *rows, notes=()):
    """Markdown, as CONTRIBUTING.md has it, with the day and the machine."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")
    print()
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, {processor()}; load at the end: {load}")
    for note in notes:
        print(note)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")

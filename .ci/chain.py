"""A simulated Envoy, its scraper and a real Mosquitto with accounts: what .ci/home-assistant and .ci/node-red work with.

The programs are one file, $CARGO_TARGET_DIR/debug/envoy-scrape, called by their names; Mosquitto is a container with the shipped
configuration. Every part can be stopped and started again at the address that it had.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.expanduser("~/.cache/envoy-scrape/target"))
MOSQUITTO = os.environ.get("MOSQUITTO_IMAGE", "eclipse-mosquitto:2.0")
DEADLINE_S = 90
ENVOY = "122012345678"


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, look, seconds=DEADLINE_S):
    """What `look` returns beside a true value, within the deadline; `what` says what is waited for."""
    end = time.monotonic() + seconds
    while True:
        found, shown = look()
        if found:
            return shown
        if time.monotonic() > end:
            fail(f"{what} did not come true: {shown}")
        time.sleep(0.3)


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    """Mosquitto with the accounts that are made for it."""

    def __init__(self, work):
        self.directory, self.port = os.path.join(work, "mosquitto"), free_port()
        self.name = f"envoy-scrape-ci-{os.getpid()}-{self.port}"
        self.passwords = {}
        os.mkdir(self.directory)
        shutil.copy(os.path.join(ROOT, "mosquitto/mosquitto.conf"), self.directory)
        os.chmod(os.path.join(self.directory, "mosquitto.conf"), 0o644)

    def account(self, kind, name, *options):
        made = subprocess.run([os.path.join(ROOT, "mosquitto/account"), kind, name, "--directory", os.path.join(self.directory, "accounts"),
                               *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=120)
        self.passwords[name] = made.stdout.strip()

    def start(self):
        # With a volume of its own, what it retains outlives a restart.
        self.docker("run", "--detach", "--name", self.name, "--publish", f"127.0.0.1:{self.port}:1883",
                    "--volume", f"{self.directory}/mosquitto.conf:/mosquitto/config/mosquitto.conf:ro",
                    "--volume", f"{self.directory}/accounts:/mosquitto/config/accounts:ro", MOSQUITTO)
        until("the broker", lambda: (listens(self.port), "it does not listen"))

    def docker(self, *command):
        subprocess.run(["docker", *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=120)

    def stop(self):
        self.docker("stop", self.name)

    def again(self):
        self.docker("start", self.name)
        until("the broker", lambda: (listens(self.port), "it does not listen"))

    def lose(self):
        """All that it retained and all sessions are gone."""
        self.docker("rm", "--force", "--volumes", self.name)
        self.start()

    def remove(self):
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # The accounts belong to Mosquitto's user.
        subprocess.run(["docker", "run", "--rm", "--user", "0:0", "--volume", f"{self.directory}:/here", "--entrypoint", "rm", MOSQUITTO,
                        "-rf", "/here/accounts"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def client(self, program, user, *options):
        """The command of one of Mosquitto's clients, with an account."""
        return ["docker", "exec", self.name, program, "-h", "127.0.0.1", "-u", user, "-P", self.passwords[user], *options]

    def publish(self, user, topic, payload, *options):
        subprocess.run(self.client("mosquitto_pub", user, "-q", "1", *(options or ("-r",)), "-t", topic, "-m", payload), check=True,
                       timeout=60)

    def retained(self, user, topic):
        """What is retained: each topic with its payload."""
        done = subprocess.run(self.client("mosquitto_sub", user, "-t", topic, "-F", "%t %p", "-W", "2", "--retained-only"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
        return dict(line.split(" ", 1) for line in done.stdout.splitlines())


class Listener:
    """Everything that Envoys' topics say, kept for a while: what is shown somewhere was said shortly before."""

    RECENT_S = 15

    def __init__(self, broker, user):
        self.broker, self.user, self.said, self.ended = broker, user, {}, False

    def start(self):
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while not self.ended:
            try:
                with subprocess.Popen(self.broker.client("mosquitto_sub", self.user, "-t", "envoy/#", "-F", "%t %p"), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as client:
                    for line in client.stdout:
                        self.heard(*line.rstrip("\n").split(" ", 1))
            except OSError:
                pass
            # The broker is away, or starts.
            time.sleep(0.5)

    def heard(self, topic, payload):
        if payload[:1] == "{" and "/backlog/" not in topic:
            since = time.monotonic() - self.RECENT_S
            known = self.said.get(topic, [])
            # Of those that are older the last one was said until the next.
            old = [one for one in known if one[0] < since][-1:]
            self.said[topic] = [*old, *(one for one in known if one[0] >= since), (time.monotonic(), json.loads(payload))]

    def recent(self, topic):
        return [payload for _, payload in self.said.get(topic, [])]

    def newest(self, topic):
        return next(reversed(self.recent(topic)), None)


class Program:
    """One of our programs, by its name."""

    def __init__(self, work, name):
        self.work, self.name, self.process = work, name, None
        self.binary, self.log = os.path.join(work, name), os.path.join(work, f"{name}.log")
        if not os.path.exists(self.binary):
            os.symlink(f"{TARGET}/debug/envoy-scrape", self.binary)

    def start(self, *arguments, **environment):
        self.process = subprocess.Popen([self.binary, *arguments], env={"PATH": os.environ["PATH"], "TZ": "UTC", **environment},
                                        stdin=subprocess.DEVNULL, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT)

    def run(self, *arguments, **environment):
        """Code and output of a sub-command that ends by itself."""
        done = subprocess.run([self.binary, *arguments], env={"PATH": os.environ["PATH"], "TZ": "UTC", **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.returncode, done.stdout

    def said(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def wait_for(self, text):
        def look():
            if self.process.poll() is not None:
                fail(f"{self.name} has ended:\n{self.said()}")
            return text in self.said(), f"{self.name} does not say {text!r}"
        until(text, look)

    def end(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)


class Envoy(Program):
    """A simulated Envoy, at a port that stays the same, whose ledger has every report that it has shown."""

    def __init__(self, work, *options, firmware="8.3.5169", serial=ENVOY):
        super().__init__(work, "envoy-simulator")
        self.port, self.firmware, self.serial = free_port(), firmware, serial
        self.options = ("--serial", serial, *options)
        self.token, self.ledger, self.socket = (os.path.join(work, name) for name in ("token", "ledger", "control"))
        self.scheme = "http" if int(firmware.split(".")[0]) < 7 else "https"

    def start(self, *more):
        if os.path.exists(self.socket):
            os.remove(self.socket)
        super().start("--listen", f"127.0.0.1:{self.port}", "--firmware", self.firmware, "--ledger", self.ledger, "--control", self.socket,
                      "--certificate", f"{self.token}.certificate", "--token-out", self.token, *self.options, *more, RUST_LOG="warn")
        until("the simulated Envoy", lambda: (listens(self.port) and os.path.exists(self.socket), "it does not listen"))

    def control(self, line):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            client.sendall(line.encode() + b"\n")
            answer = client.makefile().readline().strip()
        if answer != "ok":
            fail(f"the simulator answers {line!r} with {answer!r}")

    def shown(self):
        """The reports shown so far: for each inverter its times in Unix seconds with their powers."""
        reports = {}
        with open(self.ledger, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    report = json.loads(line)
                    reports.setdefault(report["inverter"], {})[report["reported_at"]] = report["power_w"]
        return reports

    def newest(self):
        """The newest power of each inverter. RFC 3339 in UTC sorts as it reads."""
        return {inverter: reports[max(reports)] for inverter, reports in self.shown().items()}


class Scraper(Program):
    """The scraper of an Envoy, with its account at a broker."""

    def __init__(self, work, envoy, broker, names=None, poll_interval="300ms"):
        super().__init__(work, "envoy-scraper")
        self.envoy, self.broker = envoy, broker
        self.config = os.path.join(work, "envoy-scraper.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'[testing]\npoll_interval = "{poll_interval}"\nbackoff_cap = "1s"\n')
        self.names = names and os.path.join(work, "names.toml")
        if names:
            with open(self.names, "w", encoding="utf-8") as file:
                file.write("[inverters]\n" + "".join(f'{serial} = "{name}"\n' for serial, name in names.items()))

    def settings(self):
        settings = {"ENVOY_HOST": f"{self.envoy.scheme}://127.0.0.1:{self.envoy.port}", "STATE_DIR": os.path.join(self.work, "state"),
                    "MQTT_URL": f"mqtt://127.0.0.1:{self.broker.port}", "MQTT_PASSWORD": self.broker.passwords[self.envoy.serial]}
        if self.envoy.scheme == "https":
            settings["ENVOY_TOKEN_FILE"] = self.envoy.token
        if self.names:
            settings["NAMES_FILE"] = self.names
        return settings

    def start(self):
        super().start("--config", self.config, **self.settings())

    def run(self, *arguments):
        return super().run(*arguments, **self.settings())

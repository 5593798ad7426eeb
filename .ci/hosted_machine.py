"""A hosted machine in a copy of the clone, with a simulated home: what .ci/compose works with."""

import csv
import io
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time

PROJECT = f"envoy-scrape-compose-{os.getpid()}"
SERIAL = "122012345678"
SERVICES = ["mosquitto", "influxdb", "receiver", "simulator", "scraper"]
MOSQUITTO = os.environ.get("MOSQUITTO_IMAGE", "eclipse-mosquitto:2.0")
INFLUXDB = os.environ.get("INFLUXDB_IMAGE", "influxdb:2.7")

# Grafana's image can't be had everywhere, and needs nothing that is not checked here or with the dashboards.
WITHOUT_GRAFANA = "services:\n  grafana: !reset null\n"

with open(os.path.join(os.path.dirname(__file__), "../README.md"), encoding="utf-8") as file:
    README = file.read()

measured = []


def fail(message):
    sys.exit(f"compose: {message}")


def note(what, value):
    measured.append(f"{what}: {value}")
    print(f"--- {what}: {value}", flush=True)


def run(*command, text=None, check=True, merged=False):
    """The output of a command that ends within two minutes. With `merged`, its errors too."""
    done = subprocess.run(command, input=text or "", text=True, timeout=120, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT if merged else subprocess.PIPE)
    if check and done.returncode:
        fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr or ''}")
    return done.stdout if check else (done.returncode, done.stdout + (done.stderr or ""))


def compose(*command, **options):
    return run("docker", "compose", *command, **options)


def until(what, condition, seconds=60):
    """Waits until the condition is true, and says for how long."""
    begun = time.monotonic()
    while True:
        value = condition()
        if value:
            return time.monotonic() - begun
        if time.monotonic() - begun > seconds:
            print(compose("logs", "--tail", "20", check=False)[1])
            fail(f"not within {seconds} s: {what}")
        time.sleep(0.5)


# --- What there is ---

def container(service):
    return compose("ps", "--all", "--quiet", service).strip()


def stored():
    """The power of inverters in InfluxDB, which the ledger has too: (inverter, time, field) and value."""
    flux = ('from(bucket: "envoy") |> range(start: -30d) |> filter(fn: (r) => r._measurement == "inverterPower")'
            ' |> filter(fn: (r) => r._field == "power" or r._field == "maxPower")'
            ' |> keep(columns: ["_time", "_value", "_field", "serial"])')
    answer = compose("exec", "-T", "influxdb", "sh", "-c",
                     'printf \'header = "Authorization: Token %s"\' "$(cat /run/secrets/influx_admin_token)" > /tmp/ask &&'
                     ' curl --silent --fail --config /tmp/ask --header "Content-Type: application/vnd.flux"'
                     ' --data-binary @- "http://127.0.0.1:8086/api/v2/query?org=home"', text=flux, check=False)
    if answer[0]:
        return {}
    rows = csv.DictReader(line for line in io.StringIO(answer[1].replace("\r", "")) if line.strip())
    return {(row["serial"], row["_time"], row["_field"]): int(row["_value"]) for row in rows
            if row.get("serial") not in (None, "serial")}


def shown():
    """What the ledger says that the simulated Envoy has shown, in the same form."""
    lines = run("docker", "run", "--rm", "--network", "none", "--volume", f"{PROJECT}_simulator-data:/data:ro",
                "--entrypoint", "cat", MOSQUITTO, "/data/ledger.jsonl").splitlines()
    points = {}
    for line in map(json.loads, lines):
        key = line["inverter"], line["reported_at"]
        points[*key, "power"] = line["power_w"]
        points[*key, "maxPower"] = line["peak_power_w"]
    return points


def complete(at_least=1):
    """Whether at least so many readings were shown, and all of them are stored with their values."""
    truth = shown()
    points = stored()
    return len(truth) >= 2 * at_least and truth.items() <= points.items()


def client(user, password, *arguments, tls=True, network=None, host="mosquitto", port="8883"):
    """mosquitto_sub in a container beside the broker: its exit code and output."""
    ca = ["--cafile", "/ca.crt"] if tls else []
    login = ["-u", user, "-P", password] if user else []
    return run("docker", "run", "--rm", "--network", network or f"{PROJECT}_broker", "--user", "1883:1883",
               "--volume", f"{os.getcwd()}/hosted/certificates/ca.crt:/ca.crt:ro", "--entrypoint", "mosquitto_sub",
               MOSQUITTO, "-h", host, "-p", port, *ca, *login, "-W", "10", *arguments, check=False)


def served_certificate():
    context = ssl.create_default_context(cafile="hosted/certificates/ca.crt")
    with socket.create_connection(("127.0.0.1", int(os.environ["MQTTS_PORT"])), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            return connection.getpeercert(binary_form=True)


def secret(name):
    with open(f"hosted/secrets/{name}", encoding="utf-8") as file:
        return file.read().strip()


def word_for_word(words, **options):
    """Runs the block of the README's chapter that has these words in it, as it stands there."""
    chapter = README.split("\n## The hosted machine\n")[1].split("\n## ")[0]
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", chapter, re.S) if words in block]
    if len(blocks) != 1:
        fail(f"the README's chapter on the hosted machine has {len(blocks)} blocks with: {words}")
    # The image is there, built by somebody else or by Compose.
    commands = "".join(line for line in blocks[0].splitlines(True) if not line.startswith(("docker build", "git pull")))
    print(commands, end="", flush=True)
    return run("bash", "-euo", "pipefail", "-c", commands, **options)


# --- The copy, and its end ---

def copy_of_the_clone(directory):
    os.chdir(os.path.join(os.path.dirname(__file__), ".."))
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(os.path.exists, listed.split("\0")):
        os.makedirs(os.path.dirname(os.path.join(directory, name)), exist_ok=True)
        shutil.copy2(name, os.path.join(directory, name))
    os.chdir(directory)


def environment():
    # A port of the host that is free now.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ["MQTTS_PORT"] = str(free.getsockname()[1])
    os.environ["COMPOSE_PROJECT_NAME"] = PROJECT
    os.environ["COMPOSE_FILE"] = "compose.yaml:override.yaml"
    with open("override.yaml", "w", encoding="utf-8") as file:
        file.write(WITHOUT_GRAFANA)


def clean_up():
    subprocess.run(["docker", "compose", "--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5"],
                   capture_output=True)
    subprocess.run(["docker", "network", "rm", f"{PROJECT}-outside"], capture_output=True)
    remove_what_setup_made()


def remove_what_setup_made():
    kept = [f"{folder}/{name}" for folder in ("/here/hosted", "/here/own/hosted")
            for name in ("accounts", "certificates", "secrets")]
    # In a container, since some files are other users'.
    subprocess.run(["docker", "run", "--rm", "--user", "0:0", "--network", "none", "--volume", f"{os.getcwd()}:/here",
                    "--entrypoint", "rm", MOSQUITTO, "-rf", *kept], capture_output=True)

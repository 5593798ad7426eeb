"""A real Home Assistant, asked by its API and its websocket, for .ci/home-assistant."""

import json
import os
import re
import subprocess
import urllib.parse
import urllib.request

from chain import fail, free_port

# Its own Python has a client of websockets.
ASK = """
import asyncio, json, sys
import aiohttp

async def main():
    url, token, messages = sys.argv[1], sys.stdin.readline().strip(), json.loads(sys.stdin.read())
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        await socket.receive_json()
        answers = []
        for place, message in enumerate(messages, 1):
            await socket.send_json({"id": place, **message})
            while (answer := await socket.receive_json())["id"] != place:
                pass
            answers.append(answer)
        print(json.dumps(answers))

asyncio.run(main())
"""


# What is said of a broker that was stopped, and of how the starter starts it; nothing else is to be said.
EXPECTED = [re.compile(rf"\S+ \S+ (WARNING|ERROR) \(\w+\) {pattern}") for pattern in (
    r"\[homeassistant\.bootstrap\] Skipping pip installation of required modules\. This may cause issues",
    r"\[homeassistant\.components\.mqtt\.client\] Disconnected from MQTT server 127\.0\.0\.1:\d+ \(.*\)",
    r"\[homeassistant\.components\.mqtt\.client\] Failed to connect to MQTT server(?: due to exception)?: .*",
    r"\[homeassistant\.components\.mqtt\.client\] Error returned from MQTT server: The connection was lost\.",
    r"\[homeassistant\.components\.mqtt\.client\] No ACK from MQTT server in \d+ seconds \(mid: \d+\)",
    r"\[paho\.mqtt\.client\] failed to receive on socket: .*",
)]
CONFIGURATION = """homeassistant: {name: Test, latitude: 0, longitude: 0, elevation: 0, unit_system: metric, time_zone: %s, currency: EUR, country: DE}
api:
energy:
history:
recorder: {commit_interval: 1}
logger: {default: warning, logs: {homeassistant.components.mqtt: info, haffmpeg: critical, homeassistant.components.camera: critical}}
"""


class HomeAssistant:
    """One in a folder of its own, which keeps its registry and its history there."""

    def __init__(self, starter, directory, broker_port, account=None):
        self.starter, self.directory, self.broker, self.port = starter, directory, broker_port, free_port()
        self.last, self.zone = {}, None
        self.account = ["--user", account[0], "--password", account[1]] if account else []

    def start(self):
        configuration = os.path.join(self.directory, "configuration.yaml")
        if self.zone and not os.path.exists(configuration):
            # As the starter's own, in another time zone.
            os.makedirs(self.directory, exist_ok=True)
            with open(configuration, "w", encoding="utf-8") as file:
                file.write(CONFIGURATION % self.zone)
        subprocess.run([self.starter, "start", self.directory, "--mqtt", f"127.0.0.1:{self.broker}", *self.account, "--port", str(self.port)],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=600)

    def stop(self):
        subprocess.run([self.starter, "stop", self.directory], check=False, stdin=subprocess.DEVNULL, timeout=120)

    def token(self):
        with open(os.path.join(self.directory, "token"), encoding="utf-8") as file:
            return file.read().strip()

    def ask(self, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{path}", data=body and json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def commands(self, *messages):
        """The results of commands on the websocket."""
        hass = subprocess.run([self.starter, "install"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600)
        python = os.path.join(os.path.dirname(hass.stdout.strip()), "python")
        done = subprocess.run([python, "-c", ASK, f"ws://127.0.0.1:{self.port}/api/websocket"], input=f"{self.token()}\n{json.dumps(messages)}",
                              stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        answers = json.loads(done.stdout)
        for message, answer in zip(messages, answers):
            if not answer.get("success"):
                fail(f"Home Assistant answers {message} with {answer}")
        return [answer["result"] for answer in answers]

    def states(self):
        return {entity["entity_id"]: entity for entity in json.loads(self.ask("states"))}

    def registry(self):
        """Every entity of MQTT's, disabled or not, by its unique id: its entry, its device, its state if it has one."""
        entities, devices = self.commands({"type": "config/entity_registry/list"}, {"type": "config/device_registry/list"})
        devices, states = {device["id"]: device for device in devices}, self.states()
        found = {}
        for entity in entities:
            if entity["platform"] == "mqtt":
                device = devices[entity["device_id"]]
                above = devices.get(device["via_device_id"])
                found[entity["unique_id"]] = {"entry": entity, "device": device, "above": above, "state": states.get(entity["entity_id"])}
        self.last = found
        return found

    def found(self, unique_id):
        """The state of an entity when the registry was last asked for."""
        entity = self.last.get(unique_id)
        return entity and entity["state"] and entity["state"]["state"]

    def entity(self, unique_id):
        return self.last[unique_id]["entry"]["entity_id"]

    def history(self, entities, since, until_then):
        """For each its times and states in a period."""
        query = urllib.parse.urlencode({"filter_entity_id": ",".join(entities), "end_time": until_then.isoformat()})
        found = json.loads(self.ask(f"history/period/{urllib.parse.quote(since.isoformat())}?{query}&minimal_response&no_attributes"))
        return [[(state["last_changed"], state["state"]) for state in states] for states in found]

    def template(self, text):
        return self.ask("template", {"template": text})

    def unexpected_complaints(self):
        """Whatever it complains about, but a broker that goes away."""
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as file:
            said = [line for line in file if " WARNING " in line or " ERROR " in line]
        return [line for line in said if not any(pattern.fullmatch(line.strip()) for pattern in EXPECTED)]

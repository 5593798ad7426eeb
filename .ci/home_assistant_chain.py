"""Four Envoys, their scrapers, a real Mosquitto with accounts and a real Home Assistant: the second part of .ci/home-assistant."""

import datetime
import json
import os
import re
import subprocess

import home_assistant_energy as energy
import home_assistant_life as life
from chain import Broker, Envoy, Listener, Scraper, fail, until
from home_assistant import HomeAssistant
from home_assistant_midnight import ENVOY as MIDNIGHT, midnight
from home_assistant_table import OF_A_BATTERY, OF_AN_INVERTER, OF_DETAIL, OF_METERS, OF_STORAGE, OF_THE_ENVOY, OF_TOKENS, wrong

NAME = "Shed & garage"


class Home:
    """An Envoy with its scraper; with `detail` its inverters tell more than their power, each with one of
    its first reports; with `batteries` it has meters, too."""

    def __init__(self, work, listener, firmware, serial, inverters, detail=False, batteries=0, options=None):
        self.work = os.path.join(work, serial)
        os.mkdir(self.work)
        noon = datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M")
        equipment = ["--meters", "connected", "--batteries", str(batteries)] if batteries else []
        self.envoy = Envoy(self.work, "--inverters", str(inverters), *equipment, *(options or ["--noon", noon]), firmware=firmware,
                           serial=serial)
        self.listener, self.serial, self.inverters, self.detail, self.batteries = listener, serial, inverters, detail, batteries
        self.names, self.gone, self.detailed, self.scraper = {}, set(), set(), None

    def start(self):
        self.envoy.start()
        if self.scraper is None:
            self.scraper = Scraper(self.work, self.envoy, self.listener.broker, {"1": "not yet"})
        self.scraper.start()

    def end(self):
        if self.scraper:
            self.scraper.end()
        self.envoy.end()

    def again(self):
        """The scraper is started again."""
        self.scraper.end()
        self.scraper.start()

    def name(self, inverter, name):
        self.names[inverter] = name
        with open(self.scraper.names, "w", encoding="utf-8") as file:
            file.write("[inverters]\n" + "".join(f'{serial} = "{name}"\n' for serial, name in self.names.items()))

    def health(self):
        return self.listener.newest(f"envoy/{self.serial}/health") or {}

    def is_fresh(self, inverter):
        return self.health().get("inverters", {}).get(inverter, {}).get("fresh") is True

    def there(self):
        """The inverters that are there."""
        return sorted(self.envoy.newest().keys() - self.gone)

    def has_detail(self, inverter):
        """Whether its readings have once had more than its power."""
        if self.detail and "energy_lifetime_wh" in (self.listener.newest(f"envoy/{self.serial}/inverters/{inverter}") or {}):
            self.detailed.add(inverter)
        return inverter in self.detailed

    def expected(self):
        """The entities by their unique ids: of each its row, its device's name and its device's serial number."""
        gateway, metered = f"envoy_{self.serial}", bool(self.batteries)
        tokens = OF_TOKENS if self.envoy.scheme == "https" else {}
        of_the_envoy = OF_THE_ENVOY | tokens | (OF_METERS | OF_STORAGE if metered else {})
        table = {f"{gateway}_{key}": (row, f"Envoy {self.serial}", self.serial) for key, row in of_the_envoy.items()}
        for inverter in self.there():
            name = self.names.get(inverter, f"Inverter {inverter}")
            rows = OF_AN_INVERTER | (OF_DETAIL if self.has_detail(inverter) else {})
            table |= {f"{gateway}_{inverter}_{key}": (row.at(f"inverters/{inverter}", inverter), name, inverter) for key, row in rows.items()}
        topics = f"envoy/{self.serial}/batteries/"
        batteries = [topic.removeprefix(topics) for topic in list(self.listener.said) if topic.startswith(topics)]
        if len(batteries) != self.batteries:
            return table | {f"{self.batteries} batteries, not {batteries}": (OF_A_BATTERY["power"].at("batteries", ""), None, None)}
        for battery in batteries:
            table |= {f"{gateway}_{battery}_{key}": (row.at(f"batteries/{battery}", battery), f"Battery {battery}", battery)
                      for key, row in OF_A_BATTERY.items()}
        return table


def all_is_right(what, homes, home, switched_on=()):
    for one in homes:
        until(f"all inverters of {one.serial}", lambda: (len(one.envoy.newest()) == one.inverters, len(one.envoy.newest())))

    def look():
        mistakes, table = wrong(homes, home, switched_on)
        for one in homes:
            for inverter, power in one.envoy.newest().items():
                state = home.found(f"envoy_{one.serial}_{inverter}_power")
                if inverter not in one.gone and state != str(power):
                    mistakes.append(f"the power of {inverter} is {state}, and {power} was shown")
        return not mistakes, mistakes[:10] or len(table)
    # Not all that a gateway measures is asked for with each poll.
    print(f"{what}: {until(f'{what}: the table', look)} entities as in the table", flush=True)


def restarts(broker, homes, home):
    """Each part alone, and all of them with the broker last."""
    one = homes[1]
    one.envoy.end()
    one.envoy.start()
    all_is_right("the Envoy was started again", homes, home)
    one.again()
    all_is_right("the scraper was started again", homes, home)
    broker.stop()
    broker.again()
    all_is_right("the broker was started again", homes, home)
    broker.lose()
    all_is_right("the broker had lost all that it retained", homes, home)
    home.stop()
    home.start()
    all_is_right("Home Assistant was started again", homes, home)
    for each in homes:
        each.envoy.end()
        each.scraper.end()
    home.stop()
    broker.stop()
    for each in homes:
        each.envoy.start()
        each.scraper.start()
    broker.again()
    home.start()
    all_is_right("all was started again", homes, home)


def away(homes, home):
    """An Envoy that does not answer is said by its connection, and nothing of it is shown as current."""
    one = homes[1]
    gateway = f"envoy_{one.serial}"
    inverter = next(iter(one.envoy.newest()))
    entities = {unique_id: found["entry"]["entity_id"] for unique_id, found in home.registry().items()}
    connection, power = entities[f"{gateway}_connectivity"], entities[f"{gateway}_{inverter}_power"]
    last = entities[f"{gateway}_{inverter}_reported_at"]
    one.envoy.control("refuse")

    def look():
        states = home.states()
        problem = states[connection]["attributes"].get("problem")
        shown = (states[connection]["state"], states[power]["state"], problem)
        return shown[:2] == ("off", "unavailable") and problem and states[last]["state"] != "unavailable", shown
    shown = until("the Envoy is away", look)
    one.envoy.control("heal")
    all_is_right("the Envoy answers again", homes, home)
    print(f"an Envoy that is away: power unavailable, connection off, {shown[2]!r}", flush=True)


def birth(broker, homes):
    """Each device is announced again when Home Assistant says that it has started."""
    count = sum(one.inverters + one.batteries + 1 for one in homes)
    listening = subprocess.Popen(broker.client("mosquitto_sub", "hass", "-t", "homeassistant/device/#", "-R", "-F", "%t", "-C", str(count),
                                               "-W", "30"), stdout=subprocess.PIPE, text=True)
    # It may say so before the other listens; then again.
    while True:
        broker.publish("hass", "homeassistant/status", "online", "-q", "0")
        try:
            said, _ = listening.communicate(timeout=12)
            break
        except subprocess.TimeoutExpired:
            continue
    devices = set(said.split())
    if len(devices) != count:
        fail(f"{len(devices)} of {count} devices were announced again after Home Assistant's start")
    print(f"birth message: {count} devices are announced again", flush=True)


def switch_on(home, one):
    """All entities of an inverter that are there for those who switch them on, and the Envoy's."""
    inverter = one.there()[0]
    until("an inverter with more than its power", lambda: (one.has_detail(inverter), inverter), 400)
    home.registry()
    ids = {unique_id: found["entry"]["entity_id"] for unique_id, found in home.registry().items()
           if found["entry"]["disabled_by"] and (f"_{inverter}_" in unique_id or unique_id == f"envoy_{one.serial}_clock_skew")}
    if len(ids) != 9:
        fail(f"these are switched off at first: {sorted(ids)}")
    home.commands(*({"type": "config/entity_registry/update", "entity_id": entity, "disabled_by": None} for entity in ids.values()))
    return set(ids)


def malformed(broker, home, serial):
    """What we might do wrong would be seen: a device of nobody, a unit of another class, a key that is not there."""
    topic, state = f"homeassistant/device/{serial}/broken/config", f"envoy/{serial}/check"
    broken = {"device": {"identifiers": ["broken"], "name": "Broken"}, "origin": {"name": "test"}, "state_topic": state, "components": {
        "unit": {"platform": "sensor", "unique_id": "broken_unit", "name": "Unit", "device_class": "power", "unit_of_measurement": "Wh",
                 "value_template": "{{ value_json.get('x') }}"},
        "key": {"platform": "sensor", "unique_id": "broken_key", "name": "Key", "value_template": "{{ value_json.missing }}"}}}
    for payload, sentence in (('{"device":{"identifiers":["broken"]},"components":{}}', "origin"), (json.dumps(broken), "unit.of.measurement"),
                              (None, "missing")):
        before = len(home.unexpected_complaints())
        broker.publish(serial, topic if payload else state, payload or '{"x":1}')
        said = until(f"a complaint about {sentence}",
                     lambda: (any(re.search(sentence, line) for line in home.unexpected_complaints()[before:]), home.unexpected_complaints()[before:]))
        print(f"malformed: {said[-1].strip()[:200]}", flush=True)
    for each in topic, state:
        broker.publish(serial, each, "")


def run(starter, work, folder=None):
    broker = Broker(work)
    listener = Listener(broker, "hass")
    homes = [Home(work, listener, "5.0.62", "122012345605", 12), Home(work, listener, "8.3.5169", "122012345608", 60, detail=True),
             Home(work, listener, "7.6.185", "122012345607", 3, batteries=2), Home(work, listener, "3.9.36", "122012345603", 4)]
    fast = Home(work, listener, "7.6.185", "122012345609", 4,
                options=["--speed", str(life.SPEED), "--start", life.BEGINS.isoformat(), "--noon", "12:00"])
    for one in *homes, fast:
        broker.account("scraper", one.serial)
    broker.account("scraper", MIDNIGHT)
    broker.account("reader", "hass", "--home-assistant")
    home = HomeAssistant(starter, os.path.join(work, "home"), broker.port, ("hass", broker.passwords["hass"]))
    try:
        broker.start()
        listener.start()
        for one in homes:
            one.start()
        until("inverters", lambda: (all(len(one.envoy.newest()) == one.inverters for one in homes), "not all are shown"))
        homes[1].name(homes[1].there()[0], NAME)
        if folder:
            energy.in_the_evening(home)
        home.start()
        all_is_right("firmware " + ", ".join(one.envoy.firmware for one in homes), homes, home)
        began = datetime.datetime.now(datetime.timezone.utc)
        birth(broker, homes)
        away(homes, home)
        restarts(broker, homes, home)
        switched_on = switch_on(home, homes[1])
        all_is_right(f"{len(switched_on)} are switched on", homes, home, switched_on)
        homes[1].name(homes[1].there()[1], "Renamed")
        all_is_right("an inverter was renamed", homes, home, switched_on)
        life.update(homes[2], "8.2.4345")
        all_is_right("a firmware update, with more of each inverter", homes, home, switched_on)
        life.days(fast, home)
        all_is_right("all the time", homes, home, switched_on)
        # Firmware names this many devices there at most.
        told = [(sum(map(one.has_detail, one.there())), min(50, one.inverters)) for one in homes if one.detail]
        if any(have < expected for have, expected in told):
            fail(f"not every inverter has told more than its power: {told}")
        energy.statistics(homes, home, began)
        energy.dashboard(homes, home)
        issues, = home.commands({"type": "recorder/validate_statistics"})
        if any(issues.values()):
            fail(f"the recorder has issues: {issues}")
        life.history(homes, home, began)
        if folder:
            energy.pictures(homes, home, folder)
        if home.unexpected_complaints():
            fail("it complains:\n" + "".join(home.unexpected_complaints()))
        midnight(broker, home)
        if home.unexpected_complaints():
            fail("at midnight it complains:\n" + "".join(home.unexpected_complaints()))
        malformed(broker, home, homes[1].serial)
    finally:
        listener.ended = True
        home.stop()
        for one in *homes, fast:
            one.end()
        broker.remove()

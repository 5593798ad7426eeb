"""An inverter's energy of today in a real Home Assistant from one day to the next, said by hand. For .ci/home-assistant."""

import datetime
import json
import os

from chain import ROOT, fail, until

ENVOY, INVERTER = "122012345678", "482012345679"
GOLDEN = f"{ROOT}/scraper/src/home_assistant/announcer/golden"
TODAY = f"envoy_{ENVOY}_{INVERTER}_energy_today"


def midnight(broker, home):
    """In the evening the day's energy is there, from midnight on it is unavailable, and with the first report it begins anew."""
    began = datetime.datetime.now(datetime.timezone.utc)

    def say(path, payload):
        broker.publish(ENVOY, f"envoy/{ENVOY}/{path}", payload if isinstance(payload, str) else json.dumps(payload))

    def gateway(*not_of_today):
        say("gateway", {"envoy": ENVOY, "reachable": True, "stale": [], "not_of_today": not_of_today})

    def reading(at, energy_wh):
        say(f"inverters/{INVERTER}", {"serial": INVERTER, "envoy": ENVOY, "reported_at": at, "power_w": 1, "peak_power_w": 296,
                                      "energy_today_wh": energy_wh, "energy_lifetime_wh": 100000 + energy_wh})

    def shows(wanted):
        def look():
            home.registry()
            return home.found(TODAY) == wanted, home.found(TODAY)
        return look
    for object_id, file in ("gateway", "gateway.json"), (INVERTER, "inverter-with-detail.json"):
        with open(os.path.join(GOLDEN, file), encoding="utf-8") as golden:
            broker.publish(ENVOY, f"homeassistant/device/{ENVOY}/{object_id}/config", golden.read())
    one = {"state": "asleep", "fresh": True, "relative_output_pct": None}
    say("health", {"envoy": ENVOY, "reporting": 0, "asleep": 1, "silent": 0, "inverters": {INVERTER: one}})
    say("site", {"power_w": 0, "energy_today_wh": 2345, "energy_lifetime_wh": 102345})
    reading("2026-06-20T19:00:00Z", 2345)
    gateway()
    say("status", "online")
    until("what was made in the day", shows("2.345"))
    gateway(INVERTER)
    until("unavailable from midnight on", shows("unavailable"))
    reading("2026-06-21T04:00:00Z", 2)
    gateway()
    until("the new day", shows("0.002"))

    def history():
        states, = home.history([home.entity(TODAY)], began, datetime.datetime.now(datetime.timezone.utc))
        shown = [state for _, state in states if state != "unknown"]
        return shown[-1:] == ["0.002"], shown
    # It is written some seconds after it is shown.
    shown = until("the new day in the history", history)
    # It begins as unavailable, until all that it goes by is there.
    if [state for place, state in enumerate(shown) if place or state != "unavailable"] != ["2.345", "unavailable", "0.002"]:
        fail(f"from one day to the next it was {shown}")
    print("midnight: energy today 2.345 kWh, unavailable, 0.002 kWh", flush=True)

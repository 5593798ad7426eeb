"""The Energy dashboard: its statistics, its sources, its picture. For .ci/home-assistant."""

import datetime
import json
import math
import os
import shutil
import subprocess

from chain import fail, until

# How old a counter of energy may be, in seconds: it is asked for each five minutes, and anew after a restart.
LAG_S = 360
HOUR = datetime.timedelta(hours=1)


def made(one, since, until_then):
    """What the Envoy has shown to be made between two times in Unix seconds, in Wh: each power is the average since the report before."""
    total = 0.0
    for powers in one.envoy.shown().values():
        times = sorted(powers)
        for sooner, later in zip(times, times[1:]):
            start, end = (datetime.datetime.fromisoformat(time).timestamp() for time in (sooner, later))
            if since < end <= until_then:
                total += powers[later] * (end - start) / 3600
    return total


def rows_of(home, entity, began):
    """The statistics of each five minutes since then, of at least ten."""
    def look():
        before = began - datetime.timedelta(minutes=5)
        asked, = home.commands({"type": "recorder/statistics_during_period", "start_time": before.isoformat(), "period": "5minute",
                                "statistic_ids": [entity], "types": ["state", "sum"], "units": {"energy": "Wh"}})
        found = [row for row in asked.get(entity, []) if row["end"] / 1000 >= began.timestamp()]
        return len(found) >= 3, found
    return until(f"statistics of {entity}", look, 1000)


def statistics(homes, home, began):
    """What the Energy dashboard adds up rises by what was made, whatever was started again meanwhile. It is summed up at each fifth minute."""
    for one in homes:
        entity = home.entity(f"envoy_{one.serial}_site_energy_lifetime")
        found = rows_of(home, entity, began)
        rise, states = (found[-1][key] - found[0][key] for key in ("sum", "state"))
        # The counter is asked for less often than the inverters.
        since, then = found[0]["end"] / 1000, found[-1]["end"] / 1000
        least, most = made(one, since, then - LAG_S), made(one, since - LAG_S, then)
        # A counter has whole watt-hours, and is a sum of them; a meter counts what inverters have not reported yet.
        slack = 2 + most / (10 if one.batteries else 100)
        if abs(rise - states) > 1 or not least - slack <= rise <= most + slack or rise <= 0:
            fail(f"{entity} rose by {rise} Wh in the statistics and {states} Wh by itself, and {least:.0f} to {most:.0f} Wh were made")
        print(f"statistics of {entity}: {rise:.0f} Wh in {(then - since) / 60:.0f} minutes, {least:.0f} to {most:.0f} Wh were made", flush=True)
    for one in (one for one in homes if one.batteries):
        rises = {}
        for key in "net_energy_imported", "net_energy_exported", "storage_energy_charged", "storage_energy_discharged":
            found = rows_of(home, home.entity(f"envoy_{one.serial}_{key}"), began)
            rises[key], states = (found[-1][end] - found[0][end] for end in ("sum", "state"))
            if abs(rises[key] - states) > 1 or rises[key] < 0:
                fail(f"{key} rose by {rises[key]} Wh in the statistics and {states} Wh by itself")
        if not any(rises.values()):
            fail("nothing went to or from grid and battery")
        print(f"statistics of grid and battery: {rises}", flush=True)


def dashboard(homes, home):
    """It takes what is measured as its sources, and has nothing to say against them."""
    def entity(one, key):
        return home.entity(f"envoy_{one.serial}_{key}")
    sources = [{"type": "solar", "stat_energy_from": entity(one, "site_energy_lifetime"), "config_entry_solar_forecast": None}
               for one in homes]
    for one in (one for one in homes if one.batteries):
        costs = dict.fromkeys(["stat_cost", "entity_energy_price", "number_energy_price", "stat_compensation", "entity_energy_price_export",
                               "number_energy_price_export"])
        sources += [{"type": "grid", "stat_energy_from": entity(one, "net_energy_imported"),
                     "stat_energy_to": entity(one, "net_energy_exported"), "cost_adjustment_day": 0, **costs},
                    {"type": "battery", "stat_energy_from": entity(one, "storage_energy_discharged"),
                     "stat_energy_to": entity(one, "storage_energy_charged")}]
    _, validated = home.commands({"type": "energy/save_prefs", "energy_sources": sources}, {"type": "energy/validate"})
    if any(validated["energy_sources"]):
        fail(f"the Energy dashboard has issues: {validated}")
    print(f"Energy dashboard: {len(sources)} sources, no issue", flush=True)


# --- Pictures ---

def zone():
    """A time zone, in hours east of Greenwich, in which it is evening now, as far as there is one."""
    return min(max(18 - datetime.datetime.now(datetime.timezone.utc).hour, -11), 14)


def in_the_evening(home):
    """A whole day is in the picture then."""
    home.zone = f"Etc/GMT{-zone():+d}"


def a_day():
    """What goes where in each hour of a clear day, in kWh: made, from the grid and to it, from the battery and to it."""
    stored, hours = 1.0, []
    for hour in range(24):
        solar = 4.1 * math.exp(-((hour - 12.5) / 3) ** 2) if 6 <= hour < 20 else 0.0
        used = 0.35 + (0.9 if hour in (7, 8, 12, 18, 19, 20) else 0.0)
        surplus = solar - used
        charged = min(max(surplus, 0), 2.0, 7.0 - stored)
        discharged = min(max(-surplus, 0), 2.0, stored - 0.7)
        stored += charged - discharged
        hours.append((solar, max(-surplus - discharged, 0), max(surplus - charged, 0), discharged, charged))
    return hours


def pictures(homes, home, folder):
    os.makedirs(folder, exist_ok=True)
    # Hours that are over: the real ones are minutes old. What is added to them ends where the real statistics begin.
    one = homes[2]
    keys = "site_energy_lifetime", "net_energy_imported", "net_energy_exported", "storage_energy_discharged", "storage_energy_charged"
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=zone())))
    hours = [row for hour, row in enumerate(a_day()) if hour < now.hour]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for place, key in enumerate(keys):
        amounts, entity = [row[place] for row in hours], home.entity(f"envoy_{one.serial}_{key}")
        total, rows = -sum(amounts), []
        for hour, amount in enumerate([0.0, *amounts]):
            total += amount
            rows.append({"start": (midnight + (hour - 1) * HOUR).isoformat(), "state": total + 9000, "sum": total})
        home.commands({"type": "recorder/import_statistics", "stats": rows, "metadata": {
            "has_mean": False, "mean_type": 0, "has_sum": True, "name": None, "source": "recorder", "statistic_id": entity,
            "unit_of_measurement": "kWh", "unit_class": "energy"}})
    # One home is enough.
    dashboard([one], home)
    envoy = home.last[f"envoy_{homes[1].serial}_connectivity"]["device"]
    inverter = home.last[f"envoy_{homes[1].serial}_{next(iter(homes[1].names))}_power"]["device"]
    pages = [["device", f"/config/devices/device/{envoy['id']}", "Inverters reporting", 1100, 720],
             ["inverter", f"/config/devices/device/{inverter['id']}", "Peak power", 1100, 720],
             ["energy", "/energy/electricity", "Self-sufficiency", 1500, 1000]]
    subprocess.run(["node", os.path.join(os.path.dirname(os.path.abspath(__file__)), "home-assistant.js"), f"http://127.0.0.1:{home.port}",
                    os.path.join(home.directory, "token"), folder, shutil.which("chromium"), home.zone, json.dumps(pages)], check=True, timeout=300)

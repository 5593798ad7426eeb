"""What a recorded gateway measures, read from its files without any code of the project.

Called with the folder of one recording; prints one JSON object, null for what it does not measure. What is
known to be wrong on some firmwares is left out here by the facts about them, written down a second time.
"""

import json
import re
import sys
from pathlib import Path

folder = Path(sys.argv[1])


def load(name):
    """The answer of that name, or None where it is missing, refused or no JSON."""
    try:
        answer = json.loads((folder / name).read_text())
    except (OSError, ValueError):
        return None
    return None if isinstance(answer, dict) and "error" in answer else answer


info = (folder / "info").read_text()
firmware = [int(part) for part in re.search(r"<software>\D?([\d.]+)", info)[1].split(".")]
has_meters = "<imeter>true</imeter>" in info
page = load("production.json") or {}


def inverters():
    rows = load("api_v1_production_inverters")
    fields = ["lastReportDate", "devType", "lastReportWatts", "maxReportWatts"]
    return {row["serialNumber"]: [row.get(field) for field in fields] for row in rows}


def details(listed):
    """Of each inverter whose report is the one in the list."""
    found = {}
    for device in (load("ivp_pdm_device_data") or {}).values():
        if not isinstance(device, dict) or device["devName"] != "pcu":
            continue
        channel = device["channels"][0]
        last = channel["lastReading"]
        if last.get("endDate") != listed.get(device["sn"], [None])[0]:
            continue
        found[device["sn"]] = {
            "interval_s": last["duration"],
            "joules": last["joulesProduced"],
            "lifetime_joules": channel["lifetime"]["joulesProduced"],
            "today_wh": channel["wattHours"]["today"],
            "ac_mv": last["acVoltageINmV"],
            "ac_ma": last["acCurrentInmA"],
            "ac_mhz": last["acFrequencyINmHz"],
            "dc_mv": last["dcVoltageINmV"],
            "dc_ma": last["dcCurrentINmA"],
            "celsius": last["channelTemp"],
        }
    return found


def meters():
    """Each meter that is enabled, and its phases where it has several: by number, with its kind."""
    found = {}
    readings = {reading["eid"]: reading for reading in load("ivp_meters_readings") or []}
    for meter in load("ivp_meters") or []:
        if meter["state"] != "enabled" or meter["eid"] not in readings:
            continue
        reading = readings[meter["eid"]]
        phases = meter["phaseCount"] if meter["phaseCount"] > 1 else 0
        parts = zip(["ph-a", "ph-b", "ph-c"][:phases], reading["channels"], strict=False)
        for phase, shown in [(None, reading), *parts]:
            energy = [shown["actEnergyDlvd"], shown["actEnergyRcvd"]]
            if energy == [0, 0]:
                energy = [None, None]
            found[str(shown["eid"])] = {
                "kind": meter["measurementType"],
                "phase": phase,
                "at": shown["timestamp"],
                "w": shown["activePower"],
                "var": shown["reactivePower"],
                "va": shown["apparentPower"],
                "v": shown["voltage"],
                "a": shown["current"],
                "hz": shown["freq"],
                "factor": shown["pwrFactor"],
                "delivered_wh": energy[0],
                "received_wh": energy[1],
            }
    return found


def counter(part, kind):
    """What one meter counts, as /production.json has it; None for one that is not connected."""
    for entry in page.get(part, []):
        if entry["type"] == "eim" and entry.get("measurementType") == kind and entry["activeCount"] > 0:
            return entry
    return None


def today(entry):
    """Some count no days and say nothing for the week either, some write the whole life for today."""
    if entry is None or entry["whToday"] == entry["whLifetime"]:
        return None
    if entry["whToday"] == 0 and entry["whLastSevenDays"] == 0:
        return None
    return entry["whToday"]


def flow(at, w, today_wh, lifetime_wh):
    return {"at": at, "w": w, "today_wh": today_wh, "lifetime_wh": lifetime_wh or None}


def site(listed, metered):
    """Production, consumption, exchange, and the sum of the inverters where nothing meters them."""
    whole = {meter["kind"]: meter for meter in metered.values() if meter["phase"] is None}
    parts = dict.fromkeys(["production", "consumption", "net", "inverters"])
    made = counter("production", "production")
    if shown := whole.get("production"):
        parts["production"] = flow(shown["at"], shown["w"], today(made), shown["delivered_wh"])
    elif made:
        parts["production"] = flow(made["readingTime"], made["wNow"], today(made), made["whLifetime"])
    exchanged = counter("consumption", "net-consumption")
    if shown := whole.get("net-consumption"):
        energy = [shown["delivered_wh"], shown["received_wh"]]
        parts["net"] = [shown["at"], shown["w"], *energy]
    elif exchanged:
        parts["net"] = [exchanged["readingTime"], exchanged["wNow"], None, None]
    # No recorded gateway has a meter of its own for it.
    used = counter("consumption", "total-consumption")
    if used and not (exchanged and used["whLifetime"] == exchanged["whLifetime"]):
        parts["consumption"] = flow(used["readingTime"], used["wNow"], today(used), used["whLifetime"])
    if parts["production"] is None:
        parts["inverters"] = inverter_sum(listed)
    return parts


def inverter_sum(listed):
    totals = load("api_v1_production")
    if not has_meters and totals and totals["wattHoursLifetime"] > 0:
        newest = max(at for at, *_ in listed.values())
        return flow(newest, totals["wattsNow"], totals["wattHoursToday"], totals["wattHoursLifetime"])
    for entry in page.get("production", []):
        if entry["type"] == "inverters" and entry["activeCount"] > 0 and entry["readingTime"] > 0:
            # It wraps at 2^32 joules there.
            wraps = [7] <= firmware < [8, 2, 4264]
            lifetime_wh = None if wraps else entry["whLifetime"]
            return flow(entry["readingTime"], entry["wNow"], None, lifetime_wh)
    return None


def batteries():
    found = {}
    power = {d["serial_num"]: d for d in (load("ivp_ensemble_power") or {}).get("devices:", [])}
    for group in load("ivp_ensemble_inventory") or []:
        for device in group["devices"] if group["type"] == "ENCHARGE" else []:
            found[device["serial_num"]] = {
                "kind": "encharge",
                "at": device["last_rpt_date"],
                "percent": device["percentFull"],
                "mw": power[device["serial_num"]]["real_power_mw"],
                "capacity_wh": device["encharge_capacity"],
                "celsius": device["temperature"],
                "state": None,
            }
    for store in page.get("storage", []):
        if store["activeCount"] > 0:
            found["acb"] = {
                "kind": "acb",
                "at": store["readingTime"],
                "percent": store["percentFull"],
                "mw": store["wNow"] * 1000,
                "capacity_wh": None,
                "celsius": None,
                "state": store["state"],
            }
    return found


listed = inverters()
metered = meters()
measured = {
    "inverters": listed,
    "details": details(listed),
    "site": site(listed, metered),
    "meters": metered,
    "batteries": batteries(),
}
print(json.dumps(measured))

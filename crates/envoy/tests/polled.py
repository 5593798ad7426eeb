"""What a recorded gateway measures, read from its files without any code of the project.

Called with the folder of one recording; prints one JSON object.
"""

import json
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


def eim(entries, kind):
    for entry in entries:
        if entry.get("measurementType") == kind and entry["activeCount"] > 0:
            return entry
    return None


inverters = load("api_v1_production_inverters")
json_page = load("production.json") or {}
readings = {reading["eid"]: reading for reading in load("ivp_meters_readings") or []}
enabled = [meter for meter in load("ivp_meters") or [] if meter["state"] == "enabled"]
meters = {
    meter["measurementType"]: readings[meter["eid"]] for meter in enabled
}

power = {}
for flow, kind, key in [
    ("production", "production", "production"),
    ("net", "net-consumption", "consumption"),
]:
    entry = eim(json_page.get(key, []), kind)
    if kind in meters:
        power[flow] = meters[kind]["activePower"]
    elif entry:
        power[flow] = entry["wNow"]
total = eim(json_page.get("consumption", []), "total-consumption")
if total:
    power["consumption"] = total["wNow"]

lifetime = {}
if "production" in meters:
    lifetime["production"] = meters["production"]["actEnergyDlvd"]
elif eim(json_page.get("production", []), "production"):
    lifetime["production"] = eim(json_page["production"], "production")["whLifetime"]
else:
    lifetime["inverters"] = load("api_v1_production")["wattHoursLifetime"]

energy = {}
dates = {row["serialNumber"]: row["lastReportDate"] for row in inverters}
for device in (load("ivp_pdm_device_data") or {}).values():
    if isinstance(device, dict) and device["devName"] == "pcu":
        reading = device["channels"][0]["lastReading"]
        if reading.get("endDate") == dates.get(device["sn"]):
            energy[device["sn"]] = reading["joulesProduced"]

batteries = {}
shares = {d["serial_num"]: d for d in (load("ivp_ensemble_power") or {}).get("devices:", [])}
for group in load("ivp_ensemble_inventory") or []:
    for device in group["devices"]:
        if group["type"] == "ENCHARGE":
            milliwatts = shares[device["serial_num"]]["real_power_mw"]
            batteries[device["serial_num"]] = [device["percentFull"], milliwatts / 1000]
for store in json_page.get("storage", []):
    if store["activeCount"] > 0:
        batteries["acb"] = [store["percentFull"], store["wNow"]]

print(
    json.dumps(
        {
            "inverters": {row["serialNumber"]: row["lastReportWatts"] for row in inverters},
            "power_w": power,
            "lifetime_wh": lifetime,
            "joules": energy,
            "batteries": batteries,
            "meters": {str(meters[kind]["eid"]): meters[kind]["activePower"] for kind in meters},
        }
    )
)

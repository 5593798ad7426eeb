"""What Home Assistant is to show of an Envoy: each entity with the key of a payload that it shows, and whether it does."""

import datetime

POWER, ENERGY, TIME = ("W", "power", "measurement"), ("kWh", "energy", "total_increasing"), (None, "timestamp", None)
PLAIN, COUNT, SECONDS = (None, None, None), (None, None, "measurement"), ("s", "duration", "measurement")
CELSIUS = ("°C", "temperature", "measurement")


class Row:
    """An entity: its name, (unit, device class, state class), the topic below the Envoy's own and the key of its payload; `now` is what is
    unavailable when its inverter is silent."""

    def __init__(self, name, kind, topic, key, diagnostic=False, enabled=True, now=False):
        self.name, self.kind, self.topic, self.key = name, kind, topic, key
        self.diagnostic, self.enabled, self.now = diagnostic, enabled, now

    def at(self, topic, serial):
        """The same of one inverter or battery."""
        return Row(self.name, self.kind, self.topic or topic, self.key.replace("SERIAL", serial), self.diagnostic, self.enabled, self.now)

    def value(self, payload):
        for key in self.key.split("/"):
            payload = payload.get(key) if payload else None
        return payload

    def shows(self, state, value):
        """Whether a state is this value of the payload's key."""
        if value is None:
            return state == "unknown"
        unit, device_class, _ = self.kind
        if device_class == "connectivity":
            return state == ("on" if value else "off")
        if unit is None and device_class is None and isinstance(value, str):
            return state == value
        try:
            if device_class == "timestamp":
                return datetime.datetime.fromisoformat(state) == datetime.datetime.fromisoformat(value)
            return abs(float(state) - (value / 1000 if unit == "kWh" else value)) < 0.0006
        except ValueError:
            return False


# By the ends of their unique ids.
OF_THE_ENVOY = {
    "connectivity": Row("Connection", (None, "connectivity", None), "gateway", "reachable", diagnostic=True),
    "inverters_reporting": Row("Inverters reporting", COUNT, "health", "reporting", diagnostic=True),
    "inverters_silent": Row("Inverters silent", COUNT, "health", "silent", diagnostic=True),
    "firmware": Row("Firmware", PLAIN, "gateway", "firmware", diagnostic=True),
    "last_poll": Row("Last successful poll", TIME, "gateway", "last_poll_at", diagnostic=True),
    "clock_skew": Row("Clock skew", SECONDS, "gateway", "clock_skew_s", diagnostic=True, enabled=False),
    "site_power": Row("Solar power", POWER, "site", "power_w"),
    "site_energy_today": Row("Solar energy today", ENERGY, "site", "energy_today_wh"),
    "site_energy_lifetime": Row("Solar energy", ENERGY, "site", "energy_lifetime_wh"),
}
# From firmware 7 on.
OF_TOKENS = {"token_expiry": Row("Token expiry", TIME, "gateway", "token_expires_at", diagnostic=True)}
# Where meters are connected.
OF_METERS = {
    "consumption_power": Row("Consumption", POWER, "consumption", "power_w"),
    "consumption_energy_today": Row("Energy used today", ENERGY, "consumption", "energy_today_wh"),
    "consumption_energy_lifetime": Row("Energy used", ENERGY, "consumption", "energy_lifetime_wh"),
    "net_power": Row("Grid power", POWER, "net", "power_w"),
    "net_energy_imported": Row("Energy from the grid", ENERGY, "net", "energy_imported_wh"),
    "net_energy_exported": Row("Energy to the grid", ENERGY, "net", "energy_exported_wh"),
}
# Where one of them is at the batteries: its number is the simulator's.
OF_STORAGE = {
    "storage_energy_discharged": Row("Energy from the battery", ENERGY, "meters/704643840", "energy_delivered_wh"),
    "storage_energy_charged": Row("Energy to the battery", ENERGY, "meters/704643840", "energy_received_wh"),
}
OF_A_BATTERY = {
    "state_of_charge": Row("State of charge", ("%", "battery", "measurement"), None, "state_of_charge_pct"),
    "power": Row("Power", POWER, None, "power_w"),
    "energy_capacity": Row("Capacity", ("kWh", "energy_storage", "measurement"), None, "energy_capacity_wh", diagnostic=True),
    "temperature": Row("Temperature", CELSIUS, None, "temperature_c", diagnostic=True),
}
OF_AN_INVERTER = {
    "power": Row("Power", POWER, None, "power_w", now=True),
    "peak_power": Row("Peak power", POWER, None, "peak_power_w", diagnostic=True),
    "reported_at": Row("Last report", TIME, None, "reported_at", diagnostic=True),
    "condition": Row("Condition", PLAIN, "health", "inverters/SERIAL/state", diagnostic=True),
    "relative_output": Row("Output relative to the others", ("%", None, "measurement"), "health", "inverters/SERIAL/relative_output_pct",
                           diagnostic=True, enabled=False),
}


def seldom(name, kind, key):
    return Row(name, kind, None, key, diagnostic=True, enabled=False, now=True)


# Those of an inverter whose readings have more than its power.
OF_DETAIL = {
    "energy_today": Row("Energy today", ENERGY, None, "energy_today_wh"),
    "energy_lifetime": Row("Lifetime energy", ENERGY, None, "energy_lifetime_wh"),
    "temperature": seldom("Temperature", CELSIUS, "temperature_c"),
    "ac_voltage": seldom("AC voltage", ("V", "voltage", "measurement"), "ac_voltage_v"),
    "ac_current": seldom("AC current", ("A", "current", "measurement"), "ac_current_a"),
    "ac_frequency": seldom("AC frequency", ("Hz", "frequency", "measurement"), "ac_frequency_hz"),
    "dc_voltage": seldom("DC voltage", ("V", "voltage", "measurement"), "dc_voltage_v"),
    "dc_current": seldom("DC current", ("A", "current", "measurement"), "dc_current_a"),
    "interval": seldom("Report interval", SECONDS, "interval_s"),
}
# What payloads may say nothing of.
MAY_BE_UNKNOWN = ("relative_output",)


def wrong(homes, home, switched_on=(), may_be_unknown=MAY_BE_UNKNOWN):
    """What is not as it is to be; nothing where all is. Values are to be of a payload of the last seconds."""
    registry, mistakes, table = home.registry(), [], {}
    for one in homes:
        table |= {unique_id: (one, *rest) for unique_id, rest in one.expected().items()}
    for unique_id, (one, row, device, serial) in table.items():
        found = registry.get(unique_id)
        if found is None:
            mistakes.append(f"{unique_id} is missing")
            continue
        entry, state = found["entry"], found["state"]
        enabled = row.enabled or unique_id in switched_on
        has = (entry["original_name"], entry["entity_category"] == "diagnostic", entry["disabled_by"] is None, found["device"]["name"],
               found["device"]["serial_number"])
        if has != (row.name, row.diagnostic, enabled, device, serial):
            mistakes.append(f"{unique_id} is {has}")
        gateway = f"Envoy {one.serial}"
        above = found["above"] and found["above"]["name"]
        if above != (None if device == gateway else gateway):
            mistakes.append(f"{unique_id} is below {above}")
        if not enabled:
            continue
        attributes = state["attributes"] if state else {}
        shown = tuple(attributes.get(key) for key in ("unit_of_measurement", "device_class", "state_class"))
        if shown != row.kind:
            mistakes.append(f"{unique_id} is of the kind {shown}")
        mistakes += wrong_value(unique_id, one, row, serial, state and state["state"], may_be_unknown)
    ours = tuple(f"envoy_{one.serial}_" for one in homes)
    mistakes += [f"{unique_id} should not be there" for unique_id in registry if unique_id not in table and unique_id.startswith(ours)]
    return mistakes, table


def wrong_value(unique_id, one, row, serial, state, may_be_unknown):
    payloads = one.listener.recent(f"envoy/{one.serial}/{row.topic}")
    if not payloads:
        return [f"{unique_id}: nothing is published on {row.topic}"]
    if row.now and not one.is_fresh(serial):
        return [] if state == "unavailable" else [f"{unique_id} is {state}, and its inverter is silent"]
    if row.key == "energy_today_wh" and serial in (one.listener.newest(f"envoy/{one.serial}/gateway") or {}).get("not_of_today", []):
        return [] if state == "unavailable" else [f"{unique_id} is {state}, and of the day before"]
    if state == "unknown" and not unique_id.endswith(may_be_unknown):
        return [f"{unique_id} is unknown"]
    values = [row.value(payload) for payload in payloads]
    if state is None or not any(row.shows(state, value) for value in values):
        return [f"{unique_id} is {state}, and {row.key} of {row.topic} was {sorted(set(map(str, values)))[:3]}"]
    return []

"""What devices go through in years: updates, nights, inverters that are replaced. For .ci/home-assistant."""

import datetime
import time

from chain import fail, until
from home_assistant_table import MAY_BE_UNKNOWN, wrong

# An Envoy at this speed passes a night in two minutes and a bit.
SPEED, BEGINS = 360, datetime.datetime(2026, 10, 20, 11, tzinfo=datetime.timezone.utc)
# What an inverter may show in the dark, in watts.
LITTLE_W = 25


def update(one, firmware):
    """The Envoy's firmware is updated, and from then on tells more of each inverter."""
    before = one.expected().keys()
    one.envoy.control(f"firmware {firmware}")
    one.envoy.firmware = firmware
    # What the old one did not have is else asked for only hours later.
    one.again()
    one.detail = True
    until("readings with more in them", lambda: (all(map(one.has_detail, one.there())), one.there()), 700)
    if not before < one.expected().keys():
        fail("the update adds no entities")


def days(one, home):
    """A day, a night and a morning, with an inverter that is replaced at noon and forgotten in the evening."""
    one.start()
    began = time.monotonic()

    def clock():
        return BEGINS + datetime.timedelta(seconds=(time.monotonic() - began) * SPEED)

    def quiet_s(inverters):
        """For how long the Envoy has shown no report of these."""
        shown = one.envoy.shown()
        newest = max(max(shown[inverter]) for inverter in inverters)
        return (clock() - datetime.datetime.fromisoformat(newest)).total_seconds(), newest

    def right():
        # Counters are asked for too seldom for this clock.
        mistakes, table = wrong([one], home, may_be_unknown=(*MAY_BE_UNKNOWN, "_energy_today", "_energy_lifetime"))
        return not mistakes, mistakes[:10] or len(table)
    until("the inverters of the fast day", lambda: (len(one.there()) == one.inverters, one.there()))
    until("the table of the fast day", right)
    old = one.there()[0]
    one.envoy.control(f"replace {old}")
    until("the new inverter", lambda: (len(one.there()) == one.inverters + 1, one.there()))
    new, = (inverter for inverter in one.there() if f"envoy_{one.serial}_{inverter}_power" not in home.last)
    until("an hour without the old one", lambda: (quiet_s([old])[0] > 3600, quiet_s([old])))
    # The scraper looks at the Envoy's clock at its start, and then seldom: no real one runs that fast.
    one.again()

    def silent():
        table_is_right, mistakes = right()
        gateway = f"envoy_{one.serial}"
        shown = {end: home.found(f"{gateway}_{end}") for end in (f"{old}_power", f"{old}_reported_at", f"{new}_power", "inverters_silent")}
        is_silent = not one.is_fresh(old) and shown[f"{old}_power"] == "unavailable" and shown["inverters_silent"] == "1"
        return is_silent and shown[f"{old}_reported_at"] != "unavailable" and table_is_right, (shown, mistakes)
    shown = until("the replaced inverter is silent, and the new one is there", silent)[0]
    print(f"replaced inverter: {shown}", flush=True)
    forgotten(one, home, old)
    rest = one.there()

    until("the night", lambda: (quiet_s(rest)[0] > 5400, quiet_s(rest)), 300)
    one.again()

    def asleep():
        health = one.health()
        table_is_right, mistakes = right()
        powers = [home.found(f"envoy_{one.serial}_{inverter}_power") for inverter in rest]
        dark = health.get("asleep") == len(rest) and all(power not in (None, "unavailable", "unknown") and abs(float(power)) <= LITTLE_W
                                                         for power in powers)
        return dark and table_is_right, (health, powers, mistakes)
    powers = until("all are asleep, and shown so", asleep)[1]
    night = datetime.datetime.now(datetime.timezone.utc)

    def reporting():
        health = one.health()
        return quiet_s(rest)[0] < 3600 and health.get("reporting") == len(rest), (quiet_s(rest), health)
    until("the morning", reporting, 300)
    morning = datetime.datetime.now(datetime.timezone.utc)
    for inverter in rest:
        states = home.history([home.entity(f"envoy_{one.serial}_{inverter}_power")], night, morning)[0]
        if any(state in ("unavailable", "unknown") for _, state in states):
            fail(f"the power of {inverter} in the night: {states}")
    print(f"night: {powers} W, and nothing is unavailable until the morning", flush=True)
    one.end()


def forgotten(one, home, inverter):
    code, said = one.scraper.run("forget", inverter)
    if code:
        fail(f"forget ended with {code}: {said}")
    one.gone.add(inverter)

    def look():
        rest = [unique_id for unique_id in home.registry() if inverter in unique_id]
        devices, = home.commands({"type": "config/device_registry/list"})
        rest += [device["name"] for device in devices if device["serial_number"] == inverter]
        counted = home.found(f"envoy_{one.serial}_inverters_reporting"), home.found(f"envoy_{one.serial}_inverters_silent")
        return not rest and counted == (str(len(one.there())), "0"), (rest, counted)
    until("a forgotten inverter is gone, and counted no more", look)
    print(f"forget: the device of {inverter} is gone", flush=True)


def history(homes, home, began):
    """Since all was there no counter has fallen or jumped, and no power was shown that the Envoy has not: whatever was started again."""
    then, states = datetime.datetime.now(datetime.timezone.utc), 0
    for one in homes:
        gateway, shown = f"envoy_{one.serial}", one.envoy.shown()
        for inverter in one.there()[:2]:
            powers, = home.history([home.entity(f"{gateway}_{inverter}_power")], began, then)
            strange = [state for _, state in powers if state not in ("unavailable", "unknown") and float(state) not in shown[inverter].values()]
            if strange:
                fail(f"the power of {inverter} was {strange}")
            states += len(powers)
        counters = ["site_energy_lifetime", *(["net_energy_imported", "net_energy_exported", "storage_energy_charged",
                                               "storage_energy_discharged", "consumption_energy_lifetime"] if one.batteries else [])]
        for key in counters:
            found, = home.history([home.entity(f"{gateway}_{key}")], began, then)
            values = [float(state) for _, state in found if state not in ("unavailable", "unknown")]
            # No home of these makes or uses more in an hour.
            most = 30 * (then - began).total_seconds() / 3600
            if not values or values != sorted(values) or values[-1] - values[0] > most:
                fail(f"{key} of {one.serial} was {values}")
            states += len(values)
    print(f"history: {states} states, no spike and no fall", flush=True)

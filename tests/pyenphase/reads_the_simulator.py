"""Home Assistant's client library finds in the simulator what the simulator says that it has shown.

The simulator shares no code with the scraper, but its author: what both get wrong alike would pass every
test between them. pyenphase is somebody else's, and has met thousands of real gateways.

Run by .ci/pyenphase, which names the simulator's binary in SIMULATOR.
"""

import asyncio
import contextlib
import json
import os
import tempfile
import time
import unittest
import unittest.mock
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyenphase import Envoy
from pyenphase.auth import EnvoyTokenAuth
from pyenphase.exceptions import EnvoyAuthenticationError, EnvoyAuthenticationRequired

SERIAL = "122112123456"
INVERTERS = 20
GHOSTS = 1
# The defaults of `envoy-simulator --help`, which protect nothing.
ACCOUNT = ("owner@example.com", "a-simulated-password")
# For a simulator to start, and for a client to be done with it.
DEADLINE_S = 60
# For the last line of a ledger.
LEDGER_S = 5

WITH_PASSWORD = ["3.9.36", "3.18.10", "5.0.62"]
WITH_TOKEN = ["7.6.175", "8.2.4345", "8.3.5169", "8.3.5433"]
# These tell of each inverter in detail, but not of those that have never reported.
WITH_DETAILS = ["8.2.4345", "8.3.5169", "8.3.5433"]
BATTERIES = 2
AC_BATTERIES = 3
EQUIPMENT = ["--meters", "connected", "--batteries", str(BATTERIES), "--ac-batteries", str(AC_BATTERIES)]
# The list of inverters, which is what the ledger has.
LIST = "/api/v1/production/inverters"

# What an inverter has said last: Unix seconds, watts, peak watts.
Report = tuple[int, int, int]


@dataclass
class Simulator:
    """A simulator that runs."""

    host: str
    cloud: str
    directory: Path

    def token(self) -> str:
        return (self.directory / "token").read_text().strip()

    def newest_shown(self) -> dict[str, Report]:
        """The newest report of each inverter that stood in a complete answer."""
        newest: dict[str, Report] = {}
        for line in (self.directory / "ledger").read_text().splitlines():
            report = json.loads(line)
            assert report["envoy"] == SERIAL
            at = int(datetime.fromisoformat(report["reported_at"]).timestamp())
            said = (at, report["power_w"], report["peak_power_w"])
            newest[report["inverter"]] = max(newest.get(report["inverter"], said), said)
        return newest


@contextlib.asynccontextmanager
async def simulator(firmware: str, *further: str) -> AsyncIterator[Simulator]:
    """Starts a site of this firmware in the middle of a summer's day, with its cloud."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        process = await asyncio.create_subprocess_exec(
            os.environ["SIMULATOR"],
            *("--firmware", firmware, "--serial", SERIAL, "--start", "2026-06-15T10:00:00Z"),
            *("--inverters", str(INVERTERS), "--ghosts", str(GHOSTS), "--cloud", "127.0.0.1:0"),
            *further,
            *("--token-out", str(directory / "token"), "--ledger", str(directory / "ledger")),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(DEADLINE_S):
                listens = (await process.stdout.readline()).decode().split()[-1]
                cloud = (await process.stdout.readline()).decode().split()[-1]
            yield Simulator(listens.split("://")[1], cloud, directory)
        finally:
            process.terminate()
            await process.wait()


@contextlib.asynccontextmanager
async def client(of: Simulator) -> AsyncIterator[Envoy]:
    envoy = Envoy(of.host)
    # Without this, what fails is tried again for minutes.
    envoy.set_retry_policy(max_attempts=1)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield envoy
    finally:
        await envoy.close()


@contextlib.contextmanager
def cloud_at(url: str) -> Iterator[None]:
    """The library's cloud is the simulated one."""
    ours = {"JSON_LOGIN_URL": f"{url}/login/login.json?", "TOKEN_URL": f"{url}/tokens"}
    with contextlib.ExitStack() as stack:
        for name, value in ours.items():
            stack.enter_context(unittest.mock.patch.object(EnvoyTokenAuth, name, value))
        yield


class ReadsTheSimulator(unittest.IsolatedAsyncioTestCase):
    async def finds_what_was_shown(self, of: Simulator, envoy: Envoy, firmware: str) -> None:
        self.assertEqual(envoy.serial_number, SERIAL)
        self.assertEqual(str(envoy.firmware), firmware)
        detailed = firmware in WITH_DETAILS
        # A line of the ledger can come a moment after the answer, and a report between two answers.
        until = time.monotonic() + LEDGER_S
        while True:
            data = await envoy.update()
            await envoy.request(LIST)
            found = {
                serial: (inverter.last_report_date, inverter.last_report_watts, inverter.max_report_watts)
                for serial, inverter in data.inverters.items()
            }
            ghosts = [serial for serial, report in found.items() if report == (0, 0, 0)]
            reported = {serial: report for serial, report in found.items() if serial not in ghosts}
            total = sum(watts for _, watts, _ in reported.values())
            shown = (of.newest_shown(), total)
            if shown == (reported, data.system_production.watts_now) or time.monotonic() > until:
                break
            await asyncio.sleep(0.01)
        self.assertEqual(len(ghosts), 0 if detailed else GHOSTS)
        self.assertEqual(len(reported), INVERTERS)
        self.assertEqual(reported, of.newest_shown())
        self.assertGreater(min(watts for _, watts, _ in reported.values()), 0, "it is noon")
        self.assertEqual(data.system_production.watts_now, total)
        for inverter in data.inverters.values() if detailed else []:
            # What the library calls energy is that of a second, in milliwatt-hours.
            watts = inverter.energy_produced * 3.6
            self.assertAlmostEqual(watts, inverter.last_report_watts, delta=0.6)
            volts_amperes = inverter.ac_voltage * inverter.ac_current
            self.assertAlmostEqual(volts_amperes, inverter.last_report_watts, delta=1)
            self.assertGreater(inverter.lifetime_energy, 100_000)
        self.assertGreater(data.system_production.watt_hours_today, 0)

    async def test_finds_every_inverter_with_each_of_the_two_passwords(self) -> None:
        for firmware in WITH_PASSWORD:
            for user in ["installer", "envoy"]:
                with self.subTest(firmware=firmware, user=user):
                    async with simulator(firmware) as of, client(of) as envoy:
                        await envoy.setup()
                        # The library computes the password itself.
                        await envoy.authenticate(user)
                        await self.finds_what_was_shown(of, envoy, firmware)

    async def test_finds_every_inverter_with_a_given_token(self) -> None:
        for firmware in WITH_TOKEN:
            with self.subTest(firmware=firmware):
                async with simulator(firmware) as of, client(of) as envoy:
                    await envoy.setup()
                    await envoy.authenticate(token=of.token())
                    await self.finds_what_was_shown(of, envoy, firmware)

    async def test_finds_meters_and_batteries_that_agree_with_each_other(self) -> None:
        for firmware in WITH_TOKEN:
            with self.subTest(firmware=firmware):
                async with simulator(firmware, *EQUIPMENT) as of, client(of) as envoy:
                    await envoy.setup()
                    await envoy.authenticate(token=of.token())
                    data = await envoy.update()
                    listed = json.loads(await (await envoy.request(LIST)).read())
                made, net = data.ctmeter_production, data.ctmeter_consumption
                self.assertEqual(data.system_production.watts_now, made.active_power)
                self.assertEqual(data.system_net_consumption.watts_now, net.active_power)
                used = made.active_power + net.active_power
                self.assertAlmostEqual(data.system_consumption.watts_now, used, delta=2)
                exchanged = net.energy_delivered - net.energy_received
                lifetime = data.system_net_consumption.watt_hours_lifetime
                self.assertAlmostEqual(lifetime, exchanged, delta=2)
                phases = [phase.active_power for phase in data.ctmeter_production_phases.values()]
                self.assertEqual(len(phases), 3)
                self.assertAlmostEqual(sum(phases), made.active_power, delta=3)
                # Those were averages of the last minutes, in which a cloud may have passed. The list has the
                # AC batteries too, with a type that the library does not hand on.
                made_by = {row["serialNumber"] for row in listed if row["devType"] == 1 and row["lastReportDate"]}
                self.assertEqual(len(made_by), INVERTERS)
                self.assertEqual(len(listed) - len(made_by), GHOSTS + AC_BATTERIES)
                inverters = sum(data.inverters[serial].last_report_watts for serial in made_by)
                self.assertTrue(inverters / 2 < made.active_power < inverters * 2)

                self.assertEqual(len(data.encharge_inventory), BATTERIES)
                for serial, battery in data.encharge_inventory.items():
                    self.assertEqual(battery.percent_full, data.encharge_power[serial].soc)
                    self.assertEqual(battery.percent_full, data.encharge_aggregate.state_of_charge)
                self.assertEqual(data.encharge_aggregate.max_available_capacity, BATTERIES * 3500)
                self.assertEqual(data.acb_power.batteries, AC_BATTERIES)
                self.assertEqual(data.acb_power.state_of_charge, battery.percent_full)
                whole = BATTERIES * 3500 + AC_BATTERIES * 1200
                self.assertEqual(data.battery_aggregate.max_available_capacity, whole)

    async def test_fetches_a_token_for_itself_and_finds_every_inverter_with_it(self) -> None:
        for firmware in WITH_TOKEN:
            with self.subTest(firmware=firmware):
                async with simulator(firmware) as of, client(of) as envoy:
                    with cloud_at(of.cloud):
                        await envoy.setup()
                        await envoy.authenticate(*ACCOUNT)
                        self.assertEqual(envoy.auth.token_type, "owner")
                        left_s = envoy.auth.expire_timestamp - time.time()
                        self.assertLess(left_s, 365 * 24 * 3600)
                        await self.finds_what_was_shown(of, envoy, firmware)

    async def test_is_not_let_in_with_a_wrong_password_or_token(self) -> None:
        async with simulator("5.0.62") as of, client(of) as envoy:
            await envoy.setup()
            await envoy.authenticate("envoy", "wrong")
            with self.assertRaises(EnvoyAuthenticationRequired):
                await envoy.probe_request("/api/v1/production/inverters")
        async with simulator("8.3.5169") as of, client(of) as envoy:
            await envoy.setup()
            with self.assertRaises(EnvoyAuthenticationError):
                await envoy.authenticate(token=of.token()[:-4] + "AAAA")
        async with simulator("8.3.5169") as of, client(of) as envoy:
            with cloud_at(of.cloud):
                await envoy.setup()
                with self.assertRaises(EnvoyAuthenticationError):
                    await envoy.authenticate(ACCOUNT[0], "wrong")


if __name__ == "__main__":
    unittest.main(verbosity=2)

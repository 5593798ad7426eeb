"""What goes wrong during bench/soak: ways that fail, and the faults that are dealt in turn."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time

import beside

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Way:
    """A way to a server on this machine, which fails: `good`, `cut`, `silent` (nothing is carried, and nobody is told), or
    `unavailable` (503 is answered to each request)."""

    # One loop carries what goes over all of them.
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def __init__(self, name, port):
        self.name, self.to, self.state, self.open = name, port, "good", set()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.obeyed(asyncio.start_server(self.carry, sock=listener))

    def obeyed(self, what):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(beside.DEADLINE_S)

    def becomes(self, state):
        self.obeyed(self.turn(state))

    async def turn(self, state):
        self.state = state
        # Those that a silent way had are known to nobody when it is good again.
        if state != "silent":
            for writer in list(self.open):
                writer.transport.abort()

    async def carry(self, reader, writer):
        self.open.add(writer)
        try:
            if self.state == "unavailable":
                await self.refuse(reader, writer)
            elif self.state == "silent":
                await reader.read()
            elif self.state == "good":
                there = await asyncio.open_connection("127.0.0.1", self.to)
                self.open.add(there[1])
                try:
                    await asyncio.wait([asyncio.ensure_future(pump) for pump in (self.pump(reader, there[1]), self.pump(there[0], writer))],
                                       return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self.open.discard(there[1])
                    there[1].transport.abort()
        except OSError:
            # The server is away.
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def pump(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if self.state == "silent":
                    await reader.read()
                    return
                writer.write(data)
                await writer.drain()

    async def refuse(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
                await reader.readexactly(length)
                writer.write(UNAVAILABLE)
                await writer.drain()


class Fault:
    """Something that goes wrong until it is healed, and what became of it each time."""

    def __init__(self, name, strike, heal=lambda: None):
        self.name, self.strike, self.heal = name, strike, heal
        # Nobody can ask then what is stored.
        self.blinds = name.startswith("InfluxDB") and "answers" not in name
        self.at_stake, self.recoveries = [], []


def faults(soak):
    """What is dealt, in turn. None takes away what only one part has, so nothing of it excuses a loss."""
    broker, influx, struck, receiver = soak.broker, soak.influx, soak.homes[0], soak.receivers[0]

    def all_gateways(line):
        return lambda: [home.control(line) for home in soak.homes]

    def way(which, state):
        return f"{which.name} {state}", lambda: which.becomes(state), lambda: which.becomes("good")

    def kill_scraper():
        struck.scraper.kill()
        # An answer that it had not written down counts no more.
        struck.control("reader-started")

    firmwares = {home: list(home.firmwares) for home in soak.homes}

    def update():
        for home, versions in firmwares.items():
            versions.append(versions.pop(0))
            home.control(f"firmware {versions[0]}")

    def set_back_a_day():
        # A report that is dated over a day ahead of the Envoy's clock is refused, as it has to be: each must be read before.
        for home in soak.homes:
            home.control("freeze")
        beside.until("all that was shown is stored", lambda: not soak.missing())
        for home in soak.homes:
            home.control("set-back 26h")
            home.control("thaw")

    return [Fault(*fault) for fault in (
        ("broker restarted", lambda: broker.do("stop"), broker.again),
        ("receiver killed", receiver.kill, receiver.start),
        ("InfluxDB answers 503", lambda: soak.to_store.becomes("unavailable"), lambda: soak.to_store.becomes("good")),
        ("Envoy reboots", all_gateways("reboot 6s+8s")),
        ("scraper killed", kill_scraper, struck.scraper.start),
        ("broker killed", lambda: broker.do("kill"), broker.again),
        way(soak.from_scrapers, "cut"),
        ("InfluxDB killed", lambda: influx.do("kill"), influx.again),
        ("Envoy's firmware changes", update),
        way(soak.from_receivers, "cut"),
        ("Envoy hangs", all_gateways("hang"), all_gateways("heal")),
        ("broker wiped", broker.wipe, broker.again),
        ("Envoy's clock an hour back", all_gateways("set-back 1h")),
        ("InfluxDB hangs", lambda: influx.do("pause"), lambda: influx.do("unpause")),
        way(soak.from_scrapers, "silent"),
        ("Envoy's certificate changes", all_gateways("certificate")),
        ("InfluxDB restarted", lambda: influx.do("stop"), influx.again),
        ("Envoy's clock a day and two hours back", set_back_a_day),
        way(soak.to_store, "silent"),
        way(soak.from_receivers, "silent"),
        ("Envoy refuses", all_gateways("refuse"), all_gateways("heal")),
        ("receiver stopped for a while", lambda: os.kill(receiver.pid(), signal.SIGSTOP), lambda: os.kill(receiver.pid(), signal.SIGCONT)),
    )]


def pause_until(moment):
    time.sleep(max(0, moment - time.monotonic()))

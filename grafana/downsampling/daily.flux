// Sums up each day of each inverter into the measurement `inverterDaily` of the same bucket, for long ranges.
// Does the last 14 days again each hour: a backlog that comes a week late is in. Written twice, a day is the
// same point. `install` sets bucket and time zone.
import "date"
import "timezone"

option task = {name: "envoy-scrape daily", every: 1h, offset: 5m}
option location = timezone.location(name: "TIMEZONE")

midnight = date.truncate(t: date.sub(d: 14d, from: now()), unit: 1d, location: location)
// The first report of a day needs the one before it.
reports = (field) => from(bucket: "BUCKET")
  |> range(start: date.sub(d: 1h, from: midnight), stop: now())
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == field)
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
daily = (tables=<-, fn, field) => tables
  |> filter(fn: (r) => r._time >= midnight)
  |> aggregateWindow(every: 1d, fn: fn, createEmpty: false, timeSrc: "_start")
  |> map(fn: (r) => ({_time: r._time, envoySerial: r.envoySerial, serial: r.serial, _measurement: "inverterDaily", _field: field, _value: float(v: r._value)}))
  |> to(bucket: "BUCKET")

reports(field: "power")
  // As in the panels: average power for the time since the report before it, 15 minutes at most.
  |> elapsed(unit: 1s)
  |> map(fn: (r) => ({r with _value: float(v: r._value) * float(v: if r.elapsed > 900 then 900 else r.elapsed) / 3600.0}))
  |> daily(fn: sum, field: "energyWh")
  |> yield(name: "energy")
reports(field: "power") |> daily(fn: max, field: "peakW") |> yield(name: "peak")

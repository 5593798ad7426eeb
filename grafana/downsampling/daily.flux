// Sums up each day of each inverter into the measurement `inverterDaily` of the same bucket, for long ranges.
// Does the last 14 days again each hour: a backlog that comes a week late is in. Written twice, a day is the
// same point. `install` sets bucket and time zone, and for the days before other bounds than these two.
import "date"
import "timezone"

option task = {name: "envoy-scrape daily", every: 1h, offset: 5m}
option location = timezone.location(name: "TIMEZONE")

midnight = date.truncate(t: date.sub(d: 14d, from: now()), unit: 1d, location: location)
end = now()

// All of it is held in memory. The first report of a day needs the one before it. A battery (type 11) makes nothing.
reports = (field) => from(bucket: "BUCKET")
  |> range(start: date.sub(d: 1d, from: midnight), stop: end)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == field)
  |> filter(fn: (r) => not exists r.type or r.type != "11")
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
// As in the panels: watt-hours, of reports that say in `elapsed` how many seconds the one before them is away. A report is the average
// power since the one before it, but stands for no more than its inverter's interval and a minute, so that neither a
// night nor an outage is filled. The interval is the middle one of the times between two reports, brought up to 5, 15
// or 60 minutes; a pause of over three hours is a night.
energy = (tables=<-) => tables
  |> reduce(
      identity: {gaps: 0, within5: 0, within15: 0, wh5: 0.0, wh15: 0.0, wh60: 0.0},
      fn: (r, accumulator) => ({
          gaps: accumulator.gaps + (if r.elapsed <= 10800 then 1 else 0),
          within5: accumulator.within5 + (if r.elapsed <= 360 then 1 else 0),
          within15: accumulator.within15 + (if r.elapsed <= 960 then 1 else 0),
          wh5: accumulator.wh5 + float(v: r._value) * float(v: if r.elapsed > 360 then 360 else r.elapsed) / 3600.0,
          wh15: accumulator.wh15 + float(v: r._value) * float(v: if r.elapsed > 960 then 960 else r.elapsed) / 3600.0,
          wh60: accumulator.wh60 + float(v: r._value) * float(v: if r.elapsed > 3660 then 3660 else r.elapsed) / 3600.0,
      }),
  )
  |> map(fn: (r) => ({r with _value: if r.gaps == 0 or r.within5 > r.gaps / 2 then r.wh5 else if r.within15 > r.gaps / 2 then r.wh15 else r.wh60}))
// Answers with the number of days alone, not with each of them.
daily = (tables=<-, field) => tables
  |> map(fn: (r) => ({_time: r._start, envoySerial: r.envoySerial, serial: r.serial, _measurement: "inverterDaily", _field: field, _value: float(v: r._value)}))
  |> to(bucket: "BUCKET")
  |> group()
  |> count()

reports(field: "power")
  |> elapsed(unit: 1s)
  |> filter(fn: (r) => r._time >= midnight)
  |> window(every: 1d)
  |> energy()
  |> daily(field: "energyWh")
  |> yield(name: "energy")
reports(field: "power")
  |> filter(fn: (r) => r._time >= midnight)
  |> window(every: 1d)
  |> max()
  |> daily(field: "peakW")
  |> yield(name: "peak")

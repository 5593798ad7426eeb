import "date"

// Per Envoy: its newest point, the age of it, and how many of its inverters report.
since = date.sub(d: 15m, from: v.timeRangeStop)

from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/)
  |> last()
  |> group(columns: ["envoySerial", "serial"])
  |> max(column: "_time")
  |> group(columns: ["envoySerial"])
  |> reduce(
      identity: {newest: 1970-01-01T00:00:00Z, reporting: 0, known: 0},
      fn: (r, accumulator) => ({
          newest: if r._time > accumulator.newest then r._time else accumulator.newest,
          reporting: accumulator.reporting + (if r._time >= since then 1 else 0),
          known: accumulator.known + 1,
      }),
  )
  |> map(fn: (r) => ({r with age_s: (int(v: v.timeRangeStop) - int(v: r.newest)) / 1000000000}))
  |> group()

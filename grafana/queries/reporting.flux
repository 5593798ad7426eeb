import "date"

// How many inverters have reported in the last 15 minutes, of those that have in the last 30 days.
known = from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 30d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> last()
  |> group(columns: ["envoySerial", "serial"])
  |> max(column: "_time")
  |> group()

since = date.sub(d: 15m, from: v.timeRangeStop)

known
  |> reduce(
      identity: {reporting: 0, known: 0},
      fn: (r, accumulator) => ({
          reporting: accumulator.reporting + (if r._time >= since then 1 else 0),
          known: accumulator.known + 1,
      }),
  )

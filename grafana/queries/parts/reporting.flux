import "date"

// + inverters
// + interval

reports = (since) => from(bucket: v.defaultBucket)
  |> range(start: since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)

// A row for each inverter of the last 30 days, and one more for each that has reported in the last three of its intervals.
known = reports(since: date.sub(d: 30d, from: v.timeRangeStop))
  |> last()
  |> inverters()
  |> max(column: "_time")
  |> map(fn: (r) => ({_time: r._time, envoySerial: r.envoySerial, known: 1, reporting: 0}))
reporting = reports(since: date.sub(d: 1d, from: v.timeRangeStop))
  |> inverters()
  |> newest()
  |> filter(fn: (r) => int(v: v.timeRangeStop) - int(v: r._time) <= 3 * r.interval * 1000000000)
  |> map(fn: (r) => ({_time: r._time, envoySerial: r.envoySerial, known: 0, reporting: 1}))

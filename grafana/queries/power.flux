import "date"

// + inverters
// + interval
// + windows

// Inverters report one after the other: only a whole window has the sum of all, and the one that
// has just begun would show a cloud that is not there. A report is some two minutes old when it is stored.
start = date.truncate(t: v.timeRangeStart, unit: every)
whole = date.truncate(t: date.sub(d: 2m, from: v.timeRangeStop), unit: every)

from(bucket: v.defaultBucket)
  |> range(start: start, stop: if whole > start then whole else date.add(d: every, to: start))
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> aggregateWindow(every: every, fn: mean, createEmpty: false)
  |> group(columns: ["envoySerial", "_time"])
  |> sum()
  |> group(columns: ["envoySerial"])
  |> sort(columns: ["_time"])

// + inverters
// + interval
// + windows
// + names

// Empty windows stay, so that the night is a gap.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> aggregateWindow(every: every, fn: mean)
  |> called()

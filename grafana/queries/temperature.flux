// + inverters
// + names

from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "temperatureC")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> aggregateWindow(every: if int(v: v.windowPeriod) < int(v: 15m) then 15m else v.windowPeriod, fn: mean, createEmpty: false)
  |> called()

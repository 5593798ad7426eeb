from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  // An inverter is one series, whether its points have the tag `type` or not.
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  // Inverters report at different times: only a window with a report of each has the sum of all.
  |> aggregateWindow(every: if int(v: v.windowPeriod) < int(v: 15m) then 15m else v.windowPeriod, fn: mean, createEmpty: false)
  |> group(columns: ["envoySerial", "_time"])
  |> sum()
  |> group(columns: ["envoySerial"])
  |> sort(columns: ["_time"])

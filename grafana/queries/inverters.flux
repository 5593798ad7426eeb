// Empty windows stay, so that the night is a gap.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  // An inverter is one series, whether its points have the tag `type` or not.
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  |> aggregateWindow(every: if int(v: v.windowPeriod) < int(v: 15m) then 15m else v.windowPeriod, fn: mean)
  |> group(columns: ["serial"])

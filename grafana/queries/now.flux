import "date"

// The newest report of each inverter, if it is of the last 20 minutes: nothing at night.
from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 20m, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  // An inverter is one series, whether its points have the tag `type` or not.
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  |> last()
  |> group()
  |> sum()

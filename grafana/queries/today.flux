import "date"
import "timezone"

option location = timezone.location(name: "${timezone:raw}")

midnight = date.truncate(t: v.timeRangeStop, unit: 1d, location: location)

from(bucket: v.defaultBucket)
  |> range(start: midnight, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  // An inverter is one series, whether its points have the tag `type` or not.
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  // Energy of a report: its average power for the time since the report before it, 15 minutes at most.
  |> elapsed(unit: 1s)
  |> map(fn: (r) => ({r with _value: float(v: r._value) * float(v: if r.elapsed > 900 then 900 else r.elapsed) / 3600.0}))
  |> group()
  |> sum()

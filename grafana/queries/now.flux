import "date"

// + inverters
// + interval

// The newest report of each inverter, if the next one is not overdue by 15 minutes: nothing at night.
from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 1d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> newest()
  |> filter(fn: (r) => int(v: v.timeRangeStop) - int(v: r._time) <= (r.interval + 900) * 1000000000)
  |> group()
  |> sum()

// What the site makes, uses, and takes from the grid (below zero: gives to it), as far as its Envoy measures it.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "site" or r._measurement == "consumption" or r._measurement == "net")
  |> filter(fn: (r) => r._field == "powerW" and r.envoySerial =~ /^${envoy:regex}$/)
  |> aggregateWindow(every: if int(v: v.windowPeriod) < int(v: 1m) then 1m else v.windowPeriod, fn: mean, createEmpty: false)
  |> map(fn: (r) => ({_time: r._time, _value: r._value, envoySerial: r.envoySerial, of: if r._measurement == "site" then "made" else if r._measurement == "net" then "from the grid" else "used"}))
  |> group(columns: ["envoySerial", "of"])

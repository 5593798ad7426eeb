import "timezone"

option location = timezone.location(name: "${timezone:raw}")

// Energy per day by the Envoy's own counters: how far each went since the day before. One that fell tells nothing of that day.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "site" or r._measurement == "consumption" or r._measurement == "net")
  |> filter(fn: (r) => r._field == "energyLifetimeWh" or r._field == "energyImportedWh" or r._field == "energyExportedWh")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/)
  |> aggregateWindow(every: 1d, fn: last, createEmpty: false, timeSrc: "_start")
  |> difference(nonNegative: true)
  |> map(fn: (r) => ({_time: r._time, _value: r._value, envoySerial: r.envoySerial, of: if r._measurement == "site" then "made" else if r._field == "energyImportedWh" then "from the grid" else if r._field == "energyExportedWh" then "to the grid" else "used"}))
  |> group(columns: ["envoySerial", "of"])

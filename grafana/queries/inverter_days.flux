import "timezone"

option location = timezone.location(name: "${timezone:raw}")

// + names

// Reads the days that the task in grafana/downsampling has summed up.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterDaily" and r._field == "energyWh")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> group(columns: ["serial"])
  |> aggregateWindow(every: 1d, fn: sum, createEmpty: false, timeSrc: "_start")
  |> called()

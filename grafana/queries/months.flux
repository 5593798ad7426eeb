import "timezone"

option location = timezone.location(name: "${timezone:raw}")

// Reads the days that the task in grafana/downsampling has summed up.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterDaily" and r._field == "energyWh")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> group(columns: ["envoySerial"])
  |> aggregateWindow(every: 1mo, fn: sum, createEmpty: false, timeSrc: "_start")

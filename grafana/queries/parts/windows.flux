import "date"

// A window has to hold a report of each inverter: of an hour, where one of them reports but hourly.
hourly = from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 2d, from: v.timeRangeStop), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> newest()
  |> filter(fn: (r) => r.interval > 900)
  |> group()
  |> findColumn(fn: (key) => true, column: "serial")
least = if length(arr: hourly) > 0 then 1h else 15m
every = if int(v: v.windowPeriod) < int(v: least) then least else v.windowPeriod

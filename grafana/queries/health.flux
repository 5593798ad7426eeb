import "date"

// A state is written when it changes, which that of a dead inverter may never do again.
since = date.sub(d: 1y, from: v.timeRangeStop)

// What was last said of each inverter. A field that is unknown is not in the newest point.
said = from(bucket: v.defaultBucket)
  |> range(start: since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterHealth")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> last()
  |> pivot(rowKey: ["envoySerial", "serial", "_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> set(key: "order", value: "1")
// Those of which nothing was said yet are listed as well. A battery (type 11) is not, whatever is said of it.
listed = from(bucket: v.defaultBucket)
  |> range(start: since, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> last()
inverters = listed
  |> filter(fn: (r) => not exists r.type or r.type != "11")
  |> keep(columns: ["envoySerial", "serial"])
  |> set(key: "order", value: "0")
batteries = listed
  |> filter(fn: (r) => exists r.type and r.type == "11")
  |> keep(columns: ["envoySerial", "serial"])
  |> set(key: "order", value: "2")

// Silent ones first, then weak ones.
union(tables: [inverters, said, batteries])
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["order"])
  |> tail(n: 1)
  |> filter(fn: (r) => r.order != "2")
  |> map(fn: (r) => ({r with attention: if exists r.state and r.state == "silent" then 2 else if exists r.relativeOutputPct and r.relativeOutputPct < 75.0 then 1 else 0}))
  |> group()
  |> sort(columns: ["attention"], desc: true)
  |> keep(columns: ["name", "array", "serial", "envoySerial", "state", "fresh", "relativeOutputPct", "missedReports", "intervalS", "_time"])

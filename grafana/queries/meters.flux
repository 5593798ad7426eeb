// What each meter, and each of its phases, has shown last.
from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "meter" and r.envoySerial =~ /^${envoy:regex}$/)
  |> filter(fn: (r) => r._field == "powerW" or r._field == "voltageV" or r._field == "currentA" or r._field == "powerFactor")
  |> last()
  |> map(fn: (r) => ({r with phase: if exists r.phase then r.phase else "all"}))
  |> group()
  |> pivot(rowKey: ["envoySerial", "eid", "kind", "phase"], columnKey: ["_field"], valueColumn: "_value")

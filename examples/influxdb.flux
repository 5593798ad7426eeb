// What each inverter has made in the last day, in Wh, the most first. A power is the average since the report
// before, so that each counts for that time, though for an hour at most: the longest interval there is.
from(bucket: "envoy")
  |> range(start: -1d)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  // An inverter is one series, whether its points have the tag `type` or not.
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  |> elapsed(unit: 1s)
  |> map(fn: (r) => ({r with _value: float(v: r._value) * float(v: if r.elapsed > 3600 then 3600 else r.elapsed) / 3600.0}))
  |> sum()
  |> group()
  |> sort(columns: ["_value"], desc: true)

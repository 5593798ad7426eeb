import "influxdata/influxdb/schema"

// + names

// A line is a serial number and, behind a space, what is shown of it: the variable's `regex` takes them apart.
schema.tagValues(
    bucket: v.defaultBucket,
    tag: "serial",
    // A battery among the inverters is of type 11.
    predicate: (r) => r._measurement == "inverterPower" and r.envoySerial =~ /^${envoy:regex}$/ and (not exists r.type or r.type != "11"),
    start: v.timeRangeStart,
    stop: v.timeRangeStop,
)
  |> map(fn: (r) => ({_value: r._value + " " + dict.get(dict: names, key: r._value, default: r._value)}))

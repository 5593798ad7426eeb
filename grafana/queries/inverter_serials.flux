import "influxdata/influxdb/schema"

schema.tagValues(
    bucket: v.defaultBucket,
    tag: "serial",
    predicate: (r) => r._measurement == "inverterPower" and r.envoySerial =~ /^${envoy:regex}$/,
    start: v.timeRangeStart,
    stop: v.timeRangeStop,
)

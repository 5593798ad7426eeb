import "influxdata/influxdb/schema"

schema.tagValues(bucket: v.defaultBucket, tag: "envoySerial", predicate: (r) => r._measurement == "inverterPower", start: v.timeRangeStart, stop: v.timeRangeStop)

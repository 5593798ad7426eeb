import "date"
import "timezone"

option location = timezone.location(name: "${timezone:raw}")

// + inverters
// + energy

midnight = date.truncate(t: v.timeRangeStop, unit: 1d, location: location)

// The first report of a day needs the one before it.
today = from(bucket: v.defaultBucket)
  |> range(start: date.sub(d: 1d, from: midnight), stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "inverterPower" and r._field == "power")
  |> filter(fn: (r) => r.envoySerial =~ /^${envoy:regex}$/ and r.serial =~ /^${inverter:regex}$/)
  |> inverters()
  |> elapsed(unit: 1s)
  |> filter(fn: (r) => r._time >= midnight)
  |> energy()

import "array"
import "dict"
import "strings"

// What each inverter is called now: by its owner's name and array, with its serial number behind; without health by
// that alone. A name that was taken away is in no newest point. Of several Envoys that list it the one names it that
// has spoken of it last, and has a name for it.
named = from(bucket: v.defaultBucket)
  |> range(start: -1y)
  |> filter(fn: (r) => r._measurement == "inverterHealth" and (r._field == "state" or r._field == "name" or r._field == "array"))
  |> last()
  |> pivot(rowKey: ["envoySerial", "serial", "_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> filter(fn: (r) => exists r.name or exists r.array)
  |> group(columns: ["serial"])
  |> sort(columns: ["_time"])
  |> tail(n: 1)
  |> map(fn: (r) => ({pair: r.serial + "\t" + (if exists r.name and exists r.array then r.name + ", " + r.array else if exists r.name then r.name else r.array) + " (" + r.serial + ")"}))
  |> group()
  |> findColumn(fn: (key) => true, column: "pair")
// With one that nobody has: no dictionary can be made of no names.
names = dict.fromList(pairs: array.map(arr: array.concat(arr: named, v: ["\t"]), fn: (x) => {
    parts = strings.split(v: x, t: "\t")

    return {key: parts[0], value: parts[1]}
}))
called = (tables=<-) => tables
  |> map(fn: (r) => ({r with inverter: dict.get(dict: names, key: r.serial, default: r.serial)}))
  |> group(columns: ["serial", "inverter"])

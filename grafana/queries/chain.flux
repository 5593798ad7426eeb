// + reporting

// Per Envoy: its newest point, the age of it, and how many of its inverters report.
union(tables: [known, reporting])
  |> group(columns: ["envoySerial"])
  |> reduce(
      identity: {newest: 1970-01-01T00:00:00Z, reporting: 0, known: 0},
      fn: (r, accumulator) => ({
          newest: if r._time > accumulator.newest then r._time else accumulator.newest,
          reporting: accumulator.reporting + r.reporting,
          known: accumulator.known + r.known,
      }),
  )
  |> map(fn: (r) => ({r with age_s: (int(v: v.timeRangeStop) - int(v: r.newest)) / 1000000000}))
  |> group()

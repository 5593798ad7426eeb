// The newest report of each inverter, and how often it reports, in seconds: the middle one of the times between two
// reports, brought up to 5, 15 or 60 minutes. A pause of over three hours is a night.
newest = (tables=<-) => tables
  |> reduce(
      identity: {_time: 1970-01-01T00:00:00Z, _value: 0, gaps: 0, within5: 0, within15: 0},
      fn: (r, accumulator) => {
          gap = (int(v: r._time) - int(v: accumulator._time)) / 1000000000

          return {
              _time: r._time,
              _value: r._value,
              gaps: accumulator.gaps + (if gap <= 10800 then 1 else 0),
              within5: accumulator.within5 + (if gap <= 360 then 1 else 0),
              within15: accumulator.within15 + (if gap <= 960 then 1 else 0),
          }
      },
  )
  |> map(fn: (r) => ({r with interval: if r.gaps == 0 or r.within5 > r.gaps / 2 then 300 else if r.within15 > r.gaps / 2 then 900 else 3600}))

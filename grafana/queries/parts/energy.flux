// Watt-hours, of reports that say in `elapsed` how many seconds the one before them is away. A report is the average
// power since the one before it, but stands for no more than its inverter's interval and a minute, so that neither a
// night nor an outage is filled. The interval is the middle one of the times between two reports, brought up to 5, 15
// or 60 minutes; a pause of over three hours is a night.
energy = (tables=<-) => tables
  |> reduce(
      identity: {gaps: 0, within5: 0, within15: 0, wh5: 0.0, wh15: 0.0, wh60: 0.0},
      fn: (r, accumulator) => ({
          gaps: accumulator.gaps + (if r.elapsed <= 10800 then 1 else 0),
          within5: accumulator.within5 + (if r.elapsed <= 360 then 1 else 0),
          within15: accumulator.within15 + (if r.elapsed <= 960 then 1 else 0),
          wh5: accumulator.wh5 + float(v: r._value) * float(v: if r.elapsed > 360 then 360 else r.elapsed) / 3600.0,
          wh15: accumulator.wh15 + float(v: r._value) * float(v: if r.elapsed > 960 then 960 else r.elapsed) / 3600.0,
          wh60: accumulator.wh60 + float(v: r._value) * float(v: if r.elapsed > 3660 then 3660 else r.elapsed) / 3600.0,
      }),
  )
  |> map(fn: (r) => ({r with _value: if r.gaps == 0 or r.within5 > r.gaps / 2 then r.wh5 else if r.within15 > r.gaps / 2 then r.wh15 else r.wh60}))

// + reporting

// How many inverters report, of those that have in the last 30 days.
union(tables: [known, reporting])
  |> group()
  |> reduce(
      identity: {reporting: 0, known: 0},
      fn: (r, accumulator) => ({
          reporting: accumulator.reporting + r.reporting,
          known: accumulator.known + r.known,
      }),
  )

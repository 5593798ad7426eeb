// + today
// + names

today
  |> keep(columns: ["envoySerial", "serial", "_value"])
  |> called()
  |> sum()

// + today

today
  |> group()
  |> sum()

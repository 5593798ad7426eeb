// Batteries that the Envoy lists among its inverters are of type 11; what they give is not made. After `last`,
// which the storage does by itself as long as nothing but the filters before it comes first.
made = (tables=<-) => tables
  |> filter(fn: (r) => not exists r.type or r.type != "11")

// An inverter is one series, whether its points have the tag `type` or not.
inverters = (tables=<-) => tables
  |> made()
  |> group(columns: ["envoySerial", "serial"])
  |> sort(columns: ["_time"])

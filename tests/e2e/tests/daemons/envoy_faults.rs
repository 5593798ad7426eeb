//! Each fault of the simulated Envoy against the real scraper.

//! A number that may not be known.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// Stands for what is not known.
const UNKNOWN: i64 = i64::MIN;

/// A gauge without a sample as long as its number is not known: of an expiry, 0 would be a time, and one that
/// is long past.
#[derive(Debug, Clone)]
pub(super) struct Known(Arc<AtomicI64>);

impl Default for Known {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(UNKNOWN)))
    }
}

impl Known {
    pub(super) fn set(&self, number: Option<i64>) {
        self.0.store(number.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }
}

impl EncodeMetric for Known {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), fmt::Error> {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => Ok(()),
            number => encoder.encode_gauge(&number),
        }
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

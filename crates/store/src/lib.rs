//! Where readings are kept: `InfluxDB` and `SQLite`, behind one trait.
//!
//! A store is asked for one thing: to take a batch of readings and to answer once they are
//! durable. What its answer means for the messages that brought them is the whole contract:
//!
//! | answer | the readings of the batch | their messages |
//! |---|---|---|
//! | `Ok`, nothing set apart | all stored | acknowledge |
//! | `Ok`, some [`Unstorable`] | the others stored; these never can be | acknowledge; dead-letter these |
//! | `Err` | any part of them stored, or none | acknowledge nothing, write all of them again |
//!
//! A [`MarkedStore`] also keeps the [`Marks`]: by Envoy and journal, the numbers of the readings that it
//! has. They are saved once the readings are stored: with SQLite in the same transaction, with InfluxDB
//! in a file ([`BesideFile`]).
//!
//! How the inverters do is no reading: a state, which is stored beside them where it changes, and of which
//! only the newest counts ([`MarkedStore::keep_healths`]).
//!
//! Writing again is harmless: a reading is identified by its Envoy, its inverter and its report
//! time, and a second write of it changes nothing.

mod influx;
pub mod line;
mod marks;
mod sqlite;
mod write;

#[doc(hidden)]
pub use influx::fuzzing;
pub use influx::{
    CHECK_MEASUREMENT, Finding, InfluxDb, Outcome, Settings, SettingsError, TokenSource,
};
pub use marks::{BesideFile, MOST_ENVOYS, MOST_JOURNALS, MOST_RANGES, Marks, MarksFile};
pub use sqlite::{
    Counter, Export, ExportError, Hour, OpenError, QueryError, Sqlite, StoredReading, interval_s,
};
pub use write::{
    HealthError, Marked, MarkedStore, MarksError, Store, Unstorable, WriteError, Written,
};

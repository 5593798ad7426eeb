//! How each inverter does: what was last said of it, in one row, so that it takes no more room with time.

use rusqlite::{Transaction, params};
use wire::{Health, SET_BACK_S};

use crate::line::health::word;

/// Replaces what is kept of these inverters, unless that is newer. Those of which nothing is said stay: the
/// list may be short after a restart of the gateway.
pub(super) fn keep(transaction: &Transaction<'_>, health: &Health) -> rusqlite::Result<()> {
    let Some(changed_at) = health.changed_at else {
        return Ok(());
    };
    let mut statement = transaction.prepare_cached(
        "INSERT INTO inverter_health
             (envoy, serial, changed_at, state, fresh, interval_s, missed_reports,
              relative_output_pct, name, array)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (envoy, serial) DO UPDATE SET
             changed_at = excluded.changed_at, state = excluded.state, fresh = excluded.fresh,
             interval_s = excluded.interval_s, missed_reports = excluded.missed_reports,
             relative_output_pct = excluded.relative_output_pct, name = excluded.name,
             array = excluded.array
         WHERE excluded.changed_at >= changed_at OR excluded.changed_at < changed_at - ?11",
    )?;
    for (serial, one) in &health.inverters {
        statement.execute(params![
            health.envoy.as_str(),
            serial.as_str(),
            changed_at.unix_seconds(),
            word(one.state),
            one.fresh,
            one.interval_s,
            i64::try_from(one.missed_reports).unwrap_or(i64::MAX),
            one.relative_output_pct,
            one.name,
            one.array,
            SET_BACK_S,
        ])?;
    }
    Ok(())
}

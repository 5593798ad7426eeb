//! What is said at the start.

use std::path::Path;

use scraper::config::Access;

use crate::broker::Broker;
use crate::page::Page;

/// Says what runs, where to look, and how to stop it.
pub(crate) fn text(
    access: &Access,
    simulated: bool,
    page: &Page,
    broker: &Broker,
    database: &Path,
) -> String {
    // Which Envoy is read was given, or is simulated here.
    let host = access.host.as_ref().map(ToString::to_string);
    let host = host.unwrap_or_default();
    let real = if simulated {
        " (a real one: --envoy ADDRESS)"
    } else {
        ""
    };
    let simulated = if simulated { "simulated, at " } else { "" };
    let address = broker.from_here();
    let account = broker.account();
    let account = account.map_or_else(String::new, |account| {
        format!(" -u {} -P …", account.username())
    });
    format!(
        "Envoy      {simulated}{host}{real}\n\
         page       {}\n\
         broker     mqtt://{address}\n           \
         mosquitto_sub -v -h {} -p {}{account} -t 'envoy/#'\n\
         readings   {}\n\n\
         Readings as they are stored (stop with Ctrl-C):\n",
        page.url(),
        address.ip(),
        address.port(),
        database.display()
    )
}

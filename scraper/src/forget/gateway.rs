//! A gateway that was replaced: all that is retained of it is cleared, and nothing of any other one.

use wire::{Serial, Status};

use super::visit::{Retained, Visit};
use super::{ForgetError, Forgetting, say};
use crate::home_assistant::origin::Origin;
use crate::home_assistant::{Prefixes, Topics};

/// Clears all that the broker retains of a gateway, and says so on standard output.
///
/// Nothing keeps it so: whoever reads that gateway again shows it again. So does a scraper that has connected and not
/// said yet that it is there, which may take half a minute.
///
/// # Errors
/// Something of it may still be there.
pub async fn forget_gateway(settings: &Forgetting, envoy: &Serial) -> Result<(), ForgetError> {
    let broker = &settings.broker;
    let topics = |prefix| Topics::new(broker.topic.clone(), envoy.clone(), prefix);
    let current = topics(settings.prefix.clone());
    let before = Prefixes::inside(&settings.state_dir, envoy).known();
    let devices = before
        .into_iter()
        .map(|prefix| topics(prefix).configs_filter());
    let own = current.of("");
    let all = [current.configs_filter(), format!("{own}#")];
    let filters: Vec<String> = devices.chain(all).collect();
    let mut echoes = vec![current.of("check")];
    if settings.announces {
        echoes.push(current.check());
    }

    let mut visit = Visit::begin(broker, envoy).await?;
    let found = visit.retained(&filters, &echoes).await?;
    let status = current.of("status");
    let said = found.get(&status);
    if said.and_then(|word| Status::decode(word).ok()) == Some(Status::Online) {
        return Err(ForgetError::Alive {
            envoy: envoy.clone(),
            status,
        });
    }
    let (readings, devices) = divided(found, &own);
    if readings.is_empty() && devices.is_empty() {
        return Err(ForgetError::UnknownGateway(envoy.clone()));
    }
    let (readings_cleared, devices_cleared) = (readings.len(), devices.len());
    // The devices first: without them nobody misses the values.
    visit.clear(devices.into_iter().chain(readings)).await?;
    // An account may have the right to some of these topics, and not to others.
    let (readings, devices) = divided(visit.retained(&filters, &echoes).await?, &own);
    if let Some(topic) = devices.into_iter().chain(readings).next() {
        return Err(ForgetError::Rights(topic));
    }
    visit.end().await;
    say(&format!(
        "All that the broker retained of the Envoy {envoy} is cleared: {readings_cleared} topics, and \
         {devices_cleared} devices in Home Assistant. What is stored of it stays. Where a scraper of it was started in the \
         last half minute, it shows all that again: stop it, and run this once more."
    ))
}

/// The topics of what is retained: those that begin with `own`, and those of devices that we have announced. The filter
/// of the former also matches the level above them, which is nobody's.
fn divided(found: Retained, own: &str) -> (Vec<String>, Vec<String>) {
    let ours = found.into_iter().filter(|(topic, payload)| {
        topic.starts_with(own) || (topic.ends_with("/config") && Origin::is_ours(payload))
    });
    ours.map(|(topic, _)| topic)
        .partition(|topic| topic.starts_with(own))
}

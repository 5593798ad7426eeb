//! A journal that seems to have been put back.

use std::time::Duration;

use scripted::influx::Reply;
use wire::{Announcement, JournalSpan};

use crate::chain::Chain;
use crate::influx::{Said, sound};
use crate::state::{JOURNAL, OTHER_ENVOY};

#[tokio::test]
async fn readings_that_were_on_their_way_into_the_store_raise_a_doubt_without_another_announcement()
{
    let chain = Chain::start_with(
        20,
        &[],
        |request, _| sound(request),
        |settings| settings.timeout = Duration::from_secs(3),
    )
    .await;
    chain.settles().await;
    chain.now(|_, _| Said::nothing_kept(Reply::Silence));
    chain.deliver(5, &[]).await;
    chain.asked(1).await;
    chain.announce(JOURNAL, 1, 20).await;
    // One that is asked once the audit has looked at all.
    let other = Announcement {
        instance: "p8".parse().unwrap(),
        journals: vec![JournalSpan::new("other".parse().unwrap(), 1, 1).unwrap()],
        waiting: 0,
    };
    let topic = format!("envoy/{OTHER_ENVOY}/journal");
    chain.say(&topic, &other.encode(), false).await;
    chain
        .until(|state| !state.asked_of("other").is_empty())
        .await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL).len(), 0, "all of it is stored"));
    chain.mend();
    chain
        .until(|state| !state.asked_of(JOURNAL).is_empty())
        .await;
    chain.look(|state| assert_eq!(state.asked_of(JOURNAL)[0], [25..=25]));
    chain.ends().await;
}

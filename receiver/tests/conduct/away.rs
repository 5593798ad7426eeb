//! A store that is busy, down, or gone in the middle of an answer.

use std::time::Duration;

use receiver::gathering::BATCH;
use scripted::influx::Reply;

use crate::chain::Chain;
use crate::influx::{Said, sound};
use crate::state::State;

/// The store behaves so from the start: nothing is acknowledged, and once it is back everything
/// goes through.
async fn away(reply: impl Fn() -> Reply + Send + 'static) {
    let chain = Chain::start_with(
        20,
        &[7],
        move |_, _| Said::nothing_kept(reply()),
        |settings| settings.timeout = Duration::from_millis(300),
    )
    .await;
    chain.asked(3).await;
    chain.look(nothing_acknowledged);
    chain.heals().await;
}

fn nothing_acknowledged(state: &State) {
    assert_eq!(state.acknowledged, [0; 0]);
}

#[tokio::test]
async fn a_store_that_is_down_is_waited_for() {
    for status in [500, 503] {
        away(move || Reply::error(status, "down")).await;
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_asked_again() {
    away(|| Reply::Silence).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    away(|| Reply::Cut).await;
}

#[tokio::test]
async fn an_answer_that_is_reset_half_way_is_none() {
    away(|| Reply::Reset).await;
}

/// By far longer than the longest pause of these tests.
const ASKED_FOR: Duration = Duration::from_secs(1);

async fn left_alone(status: u16) {
    let chain = Chain::start(20, &[], move |request, before| match before {
        0 => {
            let headers = vec![format!("retry-after: {}", ASKED_FOR.as_secs())];
            Said::nothing_kept(Reply::Answer(status, headers, String::new()))
        }
        _ => sound(request),
    })
    .await;
    chain.settles().await;
    chain.look(|state| {
        let pause = state.asked[1] - state.asked[0];
        assert!(pause >= ASKED_FOR, "asked again after {pause:?}");
    });
    chain.ends().await;
}

#[tokio::test]
async fn a_store_that_limits_the_rate_is_left_alone_as_long_as_it_asks() {
    left_alone(429).await;
}

#[tokio::test]
async fn a_store_that_is_busy_is_left_alone_as_long_as_it_asks() {
    left_alone(503).await;
}

#[tokio::test]
async fn what_was_stored_without_a_word_is_written_again() {
    let chain = Chain::start(20, &[], |request, _| Said::all_kept(request, Reply::Reset)).await;
    chain.asked(3).await;
    chain.look(|state| {
        assert_eq!(state.kept.len(), 20);
        nothing_acknowledged(state);
    });
    chain.heals().await;
}

/// A batch is acknowledged as a whole or not at all.
#[tokio::test]
async fn a_batch_that_was_stored_in_part_is_written_again() {
    let chain = Chain::start(20, &[], |request, _| match request.lines.len() {
        20 => Said::nothing_kept(Reply::Answer(413, Vec::new(), String::new())),
        10 if request.lines[0].contains("good-0,") => sound(request),
        _ => Said::nothing_kept(Reply::error(503, "busy")),
    })
    .await;
    chain.until(|state| state.kept.len() == 10).await;
    chain.asked(6).await;
    chain.look(nothing_acknowledged);
    chain.heals().await;
}

/// What the broker delivers again on a new connection takes the place of what waited.
#[tokio::test]
async fn a_broker_that_goes_away_meanwhile_gets_each_acknowledgement_once() {
    let chain = Chain::start(20, &[3], |_, _| {
        Said::nothing_kept(Reply::error(503, "busy"))
    })
    .await;
    chain.asked(2).await;
    chain.cut().await;
    chain.asked(2).await;
    chain.cut().await;
    chain.asked(2).await;
    chain.look(nothing_acknowledged);
    chain.heals().await;
}

/// More than is taken from the broker while a batch waits for the store; of as many inverters, which are no more
/// than one Envoy may have.
const MANY: usize = 2 * BATCH;

/// A store that is down from the start, with that many readings on their way.
async fn many_wait() -> Chain {
    let chain = Chain::start(MANY, &[], |_, _| {
        Said::nothing_kept(Reply::error(503, "down"))
    })
    .await;
    chain.without_looking_at_marks();
    chain.asked(3).await;
    chain.look(nothing_acknowledged);
    chain
}

#[tokio::test]
async fn more_than_a_batch_waits_for_a_store_that_is_down() {
    many_wait().await.heals().await;
}

#[tokio::test]
async fn a_broker_that_goes_away_while_many_are_stored_gets_each_acknowledgement_once() {
    let chain = many_wait().await;
    chain.mend();
    chain.until(|state| state.kept.len() >= BATCH).await;
    chain.cut().await;
    chain.ends().await;
}

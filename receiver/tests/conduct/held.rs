//! Faults of the server or its set-up: everything is kept until they are over.

use scripted::influx::Reply;

use crate::chain::Chain;
use crate::influx::Said;
use crate::state::State;

/// The store answers so to everything, from the start: it is asked again and again, nothing is
/// acknowledged, and once it is sound everything goes through.
async fn held(requests: usize, reply: impl Fn() -> Reply + Send + 'static) {
    let chain = Chain::start(20, &[7], move |_, _| Said::nothing_kept(reply())).await;
    chain.asked(requests).await;
    chain.look(nothing_acknowledged);
    chain.heals().await;
}

/// Requests of a few batches of which the first one says all.
const BATCHES: usize = 4;

/// Requests of a few batches in which the bad line is looked for: under fifty each.
const SEARCHES: usize = 110;

fn nothing_acknowledged(state: &State) {
    assert_eq!(state.acknowledged, [0; 0]);
}

#[tokio::test]
async fn a_missing_organisation_holds_everything() {
    held(SEARCHES, || {
        Reply::error(400, "Please provide either orgID or org")
    })
    .await;
}

#[tokio::test]
async fn a_proxys_own_400_holds_everything() {
    let page = "<html><h1>400 Bad Request</h1></html>";
    held(SEARCHES, move || {
        Reply::Answer(400, Vec::new(), page.into())
    })
    .await;
}

#[tokio::test]
async fn an_unknown_token_holds_everything() {
    held(BATCHES, || Reply::error(401, "unauthorized access")).await;
}

#[tokio::test]
async fn a_token_that_may_not_write_holds_everything() {
    held(BATCHES, || {
        Reply::error(403, "insufficient permissions for write")
    })
    .await;
}

#[tokio::test]
async fn a_missing_bucket_holds_everything() {
    held(BATCHES, || {
        Reply::error(404, r#"bucket \"solar\" not found"#)
    })
    .await;
}

#[tokio::test]
async fn a_login_page_holds_everything() {
    held(BATCHES, || {
        Reply::Answer(200, Vec::new(), "<html>Please log in</html>".into())
    })
    .await;
}

#[tokio::test]
async fn a_limit_below_a_single_line_holds_everything() {
    held(SEARCHES, || {
        Reply::Answer(413, Vec::new(), "too large".into())
    })
    .await;
}

#[tokio::test]
async fn a_type_that_conflicts_in_every_line_holds_everything() {
    held(SEARCHES, || {
        Reply::error(422, "partial write: field type conflict dropped=20")
    })
    .await;
}

/// With a line that was accepted before there is a witness, and it is refused as well.
#[tokio::test]
async fn a_type_that_conflicts_from_some_time_on_gives_nothing_up() {
    let chain = Chain::start(5, &[], |request, _| crate::influx::sound(request)).await;
    chain.settles().await;
    chain.now(|_, _| Said::nothing_kept(Reply::error(422, "field type conflict dropped=1")));
    chain.deliver(15, &[2]).await;
    chain.asked(6).await;
    chain.look(|state| assert_eq!(state.acknowledged.len(), 5));
    chain.heals().await;
}

#[tokio::test]
async fn a_token_replaced_in_its_file_ends_the_fault_without_a_restart() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "old").unwrap();
    let path = file.path().to_owned();
    let chain = Chain::start_with(
        20,
        &[],
        |request, _| match request.header("authorization") {
            Some("Token new") => crate::influx::sound(request),
            _ => Said::nothing_kept(Reply::error(401, "unauthorized access")),
        },
        |settings| settings.token = store::TokenSource::File(path),
    )
    .await;
    chain.asked(3).await;
    chain.look(nothing_acknowledged);
    std::fs::write(file.path(), "new").unwrap();
    chain.ends().await;
}

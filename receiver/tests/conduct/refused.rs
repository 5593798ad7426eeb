//! Refusals of single lines and of sizes: the rest goes through, without anybody's help.

use scripted::influx::Reply;

use crate::chain::Chain;
use crate::influx::{Said, sound};
use crate::state::is_bad;

#[tokio::test]
async fn one_line_that_does_not_parse_keeps_no_other_from_being_stored() {
    let chain = Chain::start(50, &[0, 7, 8], |request, _| sound(request)).await;
    chain.ends().await;
}

#[tokio::test]
async fn one_line_of_a_conflicting_type_keeps_no_other_from_being_stored() {
    let chain = Chain::start(50, &[7, 49], |request, _| {
        let (bad, kept): (Vec<_>, Vec<_>) =
            request.lines.iter().cloned().partition(|line| is_bad(line));
        let reply = match bad.len() {
            0 => Reply::stored(),
            dropped => {
                let message = format!("partial write: field type conflict dropped={dropped}");
                Reply::error(422, &message)
            }
        };
        Said { kept, reply }
    })
    .await;
    chain.ends().await;
}

/// Nobody can say yet whose fault it is: the line is kept until the store has taken another.
#[tokio::test]
async fn a_bad_line_that_is_alone_waits_for_a_good_one() {
    let chain = Chain::start(1, &[0], |request, _| sound(request)).await;
    chain.asked(4).await;
    chain.look(|state| assert_eq!(state.acknowledged, [0; 0]));
    chain.deliver(1, &[]).await;
    chain.ends().await;
}

#[tokio::test]
async fn what_is_too_large_goes_in_pieces() {
    let chain = Chain::start(50, &[], |request, _| match request.lines.len() {
        0..=6 => sound(request),
        _ => Said::nothing_kept(Reply::Answer(413, Vec::new(), "<html>nginx</html>".into())),
    })
    .await;
    chain.ends().await;
}

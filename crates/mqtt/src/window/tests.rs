use super::*;

fn publish(window: &mut Window) -> oneshot::Receiver<()> {
    let (answer, receipt) = oneshot::channel();
    window.enter(Waiting::Publish(answer), Instant::now());
    receipt
}

fn subscribe(window: &mut Window) -> oneshot::Receiver<Vec<Grant>> {
    let (answer, grants) = oneshot::channel();
    window.enter(Waiting::Subscribe(answer), Instant::now());
    grants
}

#[test]
fn answers_in_any_order_reach_their_own_request() {
    let now = Instant::now();
    let mut window = Window::default();
    let mut first = publish(&mut window);
    let mut second = subscribe(&mut window);
    let mut third = publish(&mut window);
    assert_eq!(window.publish_sent(1), Ok(()));
    assert_eq!(window.subscribe_sent(2), Ok(()));
    assert_eq!(window.publish_sent(3), Ok(()));

    assert_eq!(window.acknowledged(3, now), Ok(0));
    assert!(third.try_recv().is_ok());
    assert!(first.try_recv().is_err());
    assert_eq!(window.acknowledged(1, now), Ok(1));
    assert!(first.try_recv().is_ok());
    assert_eq!(window.subscribed(2, vec![Grant::Refused], now), Ok(2));
    assert_eq!(second.try_recv(), Ok(vec![Grant::Refused]));
}

#[test]
fn a_place_behind_an_unanswered_request_is_not_free() {
    let now = Instant::now();
    let mut window = Window::default();
    let _receipts: Vec<_> = (0..5).map(|_| publish(&mut window)).collect();
    for packet in 1..=5 {
        assert_eq!(window.publish_sent(packet), Ok(()));
    }
    for packet in 2..=5 {
        assert_eq!(window.acknowledged(packet, now), Ok(0));
    }
    assert_eq!(window.acknowledged(1, now), Ok(5));
}

#[test]
fn a_request_that_nobody_waits_for_still_takes_its_turn() {
    let now = Instant::now();
    let mut window = Window::default();
    drop(publish(&mut window));
    let mut second = publish(&mut window);
    assert_eq!(window.publish_sent(7), Ok(()));
    assert_eq!(window.publish_sent(8), Ok(()));
    assert_eq!(window.acknowledged(7, now), Ok(1));
    assert!(second.try_recv().is_err());
    assert_eq!(window.acknowledged(8, now), Ok(1));
    assert!(second.try_recv().is_ok());
}

#[test]
fn what_nobody_asked_for_is_out_of_step() {
    let now = Instant::now();
    let mut window = Window::default();
    assert_eq!(window.publish_sent(1), Err(OutOfStep));
    let _receipt = publish(&mut window);
    assert_eq!(window.subscribe_sent(1), Err(OutOfStep));
    assert_eq!(window.acknowledged(0, now), Err(OutOfStep));
    assert_eq!(window.publish_sent(1), Ok(()));
    assert_eq!(window.acknowledged(2, now), Err(OutOfStep));
    assert_eq!(window.acknowledged(1, now), Ok(1));
    assert_eq!(window.acknowledged(1, now), Err(OutOfStep));
}

#[test]
fn the_broker_owes_an_answer_only_while_something_is_under_way() {
    let start = Instant::now();
    let later = start + Duration::from_secs(10);
    let mut window = Window::default();
    assert_eq!(window.owing_for(later), Duration::ZERO);
    let (answer, _first) = oneshot::channel();
    window.enter(Waiting::Publish(answer), start);
    let (answer, _second) = oneshot::channel();
    window.enter(Waiting::Publish(answer), later);
    assert_eq!(window.owing_for(later), Duration::from_secs(10));

    for packet in [1, 2] {
        assert_eq!(window.publish_sent(packet), Ok(()));
    }
    assert_eq!(window.acknowledged(1, later), Ok(1));
    assert_eq!(window.owing_for(later), Duration::ZERO);
    assert_eq!(
        window.owing_for(later + Duration::from_secs(3)),
        Duration::from_secs(3)
    );
    assert_eq!(window.acknowledged(2, later), Ok(1));
    assert_eq!(
        window.owing_for(later + Duration::from_mins(1)),
        Duration::ZERO
    );
}

use tokio::time::{advance, sleep};

use super::*;

const WATCHDOG: Duration = Duration::from_mins(1);

type Told = Arc<Mutex<Vec<String>>>;

fn service(watchdog: Option<Duration>) -> (Service, Told) {
    let told = Told::default();
    let seen = Arc::clone(&told);
    let tell: Tell = Box::new(move |message| seen.lock().expect("whole").push(message.to_owned()));
    (Service::new(Some(tell), watchdog), told)
}

fn pings(told: &Told) -> usize {
    let told = told.lock().expect("whole");
    told.iter()
        .filter(|message| *message == "WATCHDOG=1")
        .count()
}

/// A loop that does its work until it is stuck.
fn works(service: &Service, stuck_after: Duration) -> tokio::task::JoinHandle<()> {
    let mut part = service.part("loop");
    tokio::spawn(async move {
        let stuck = sleep(stuck_after);
        let mut stuck = std::pin::pin!(stuck);
        loop {
            tokio::select! {
                () = part.beat() => {}
                () = &mut stuck => std::future::pending().await,
            }
        }
    })
}

#[tokio::test]
async fn how_things_stand_is_known_where_no_service_manager_asks() {
    let service = Service::none();
    let part = service.part("one");
    part.status("the Envoy does not answer");
    assert_eq!(service.status(), "the Envoy does not answer");
    drop(part);
    assert_eq!(service.status(), "");
}

#[test]
fn more_time_for_the_start_is_asked_for_until_the_parts_run() {
    let (service, told) = service(None);
    service.starts_within(Duration::from_mins(2));
    service.ready();
    service.starts_within(Duration::from_mins(2));
    let told = told.lock().expect("whole");
    assert_eq!(*told, ["EXTEND_TIMEOUT_USEC=120000000", "READY=1"]);
}

#[tokio::test(start_paused = true)]
async fn while_all_loops_turn_the_watchdog_is_fed_in_half_its_time() {
    let (service, told) = service(Some(WATCHDOG));
    let _loops = [
        works(&service, Duration::MAX),
        works(&service, Duration::MAX),
    ];
    let mut before = 0;
    for _ in 0..100 {
        sleep(WATCHDOG / 2).await;
        let now = pings(&told);
        assert!(now > before, "{before} pings, and then none");
        before = now;
    }
}

#[tokio::test(start_paused = true)]
async fn one_stuck_loop_stops_the_pings_though_another_turns() {
    let (service, told) = service(Some(WATCHDOG));
    let _sound = works(&service, Duration::MAX);
    let _stuck = works(&service, 10 * WATCHDOG);
    sleep(11 * WATCHDOG).await;
    let before = pings(&told);
    assert!(before >= 20, "{before}");
    sleep(100 * WATCHDOG).await;
    assert_eq!(pings(&told), before);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_has_ended_is_not_waited_for() {
    let (service, told) = service(Some(WATCHDOG));
    let _sound = works(&service, Duration::MAX);
    let ended = works(&service, Duration::ZERO);
    sleep(WATCHDOG).await;
    ended.abort();
    let _ = ended.await;
    let before = pings(&told);
    sleep(10 * WATCHDOG).await;
    assert!(pings(&told) >= before + 20);
}

#[tokio::test(start_paused = true)]
async fn long_work_gives_signs_of_life_until_it_takes_too_long() {
    let (service, told) = service(Some(WATCHDOG));
    let mut part = service.part("loop");
    let limit = 5 * WATCHDOG;
    let work = async {
        sleep(100 * WATCHDOG).await;
        "done"
    };
    let begun = Instant::now();
    assert_eq!(part.during(limit, work).await, "done");
    assert_eq!(begun.elapsed(), 100 * WATCHDOG);
    let fed = pings(&told);
    assert!((20..=22).contains(&fed), "{fed}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_watches_no_sign_is_given() {
    let (service, told) = service(None);
    let _loops = works(&service, Duration::MAX);
    advance(100 * WATCHDOG).await;
    tokio::task::yield_now().await;
    assert_eq!(pings(&told), 0);
}

#[tokio::test]
async fn a_status_is_of_all_parts_and_told_when_it_changes() {
    let (service, told) = service(None);
    let (one, other) = (service.part("loop"), service.part("loop"));
    service.ready();
    one.status("polls");
    other.status("connected");
    other.status("connected");
    other.status("no connection:\nrefused");
    drop(one);
    other.status("connected");
    service.ready();
    service.stopping();
    assert_eq!(
        *told.lock().expect("whole"),
        [
            "READY=1",
            "STATUS=polls",
            "STATUS=polls; connected",
            "STATUS=polls; no connection: refused",
            "STATUS=connected",
            "STOPPING=1",
        ]
    );
}

use std::time::Duration;

use tokio::time::{advance, timeout};

use super::*;

fn plan(text: &str) -> FaultPlan {
    text.parse().expect(text)
}

fn mistake(text: &str) -> String {
    text.parse::<FaultPlan>().expect_err(text).to_string()
}

/// Which of the first twelve it strikes.
fn struck(faults: &Faults, fault: Fault) -> Vec<bool> {
    (0..12).map(|_| faults.strikes(fault, None)).collect()
}

#[test]
fn every_fault_has_a_name_that_is_a_plan() {
    for fault in Fault::ALL {
        assert_eq!(plan(fault.name()), FaultPlan::from(fault));
        assert_eq!(plan(&format!("{fault}@1m+500ms")).fault(), fault);
    }
}

#[test]
fn a_mistake_in_a_plan_names_the_value_and_the_remedy() {
    for (text, message) in [
        ("", "\"\" is no fault: \"\" is none of refuse, hang, "),
        ("hnag@3s", "\"hnag@3s\" is no fault: \"hnag\" is none of "),
        ("hang@", "\"\" is not a length of time: write it as 30s, "),
        ("hang@30", "\"30\" is not a length of time"),
        ("hang@-3s", "\"-3s\" is not a length of time"),
        ("hang@3s+", "\"\" is not a length of time"),
        ("hang+3s", "\"hang+3s\" is none of "),
        ("hang~5", "\"5\" is not a rate: write it as 1/5, "),
        ("hang~1/0", "\"1/0\" is not a rate"),
        ("hang~2/3", "\"2/3\" is not a rate"),
        (
            "hang/nothing",
            "\"nothing\" is none of inverters, device-data, ",
        ),
        (
            "refuse~1/5",
            "a closed port has no rate and no endpoint: give",
        ),
        (
            "refuse/meters",
            "a closed port has no rate and no endpoint: give",
        ),
    ] {
        assert!(mistake(text).contains(message), "{}", mistake(text));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_with_times_is_on_between_them_only() {
    let faults = Faults::new(vec![plan("hang@30s+10s"), plan("busy@40s")], 1);
    let on = |fault| (faults.is_on(fault), faults.strikes(fault, None));
    for (until_next, hangs, busy) in [(29, false, false), (2, true, false), (8, true, false)] {
        advance(Duration::from_secs(until_next)).await;
        assert_eq!(on(Fault::Hang), (hangs, hangs));
        assert_eq!(on(Fault::Busy), (busy, busy));
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(on(Fault::Hang), (false, false));
    assert_eq!(on(Fault::Busy), (true, true));
    assert_eq!(on(Fault::Html), (false, false));
    faults.heal();
    assert_eq!(on(Fault::Busy), (false, false));
}

#[test]
fn a_rate_strikes_one_of_each_row_and_the_same_ones_for_the_same_seed() {
    let of_seed = |seed| struck(&Faults::new(vec![plan("html~1/3")], seed), Fault::Html);
    for seed in 0..20 {
        let struck = of_seed(seed);
        for row in struck.chunks(3) {
            assert_eq!(row.iter().filter(|struck| **struck).count(), 1, "{row:?}");
        }
        assert_eq!(struck, of_seed(seed));
    }
    let different: std::collections::BTreeSet<_> = (0..20).map(of_seed).collect();
    assert!(different.len() > 10, "the seed matters: {different:?}");
}

#[test]
fn a_fault_of_one_endpoint_strikes_and_counts_only_what_asks_for_that() {
    for endpoint in Endpoint::ALL {
        let text = format!("html/{endpoint}~1/2");
        let faults = Faults::new(vec![plan(&text)], 1);
        let others = Endpoint::ALL.into_iter().filter(|other| *other != endpoint);
        for other in others.map(Some).chain([None]) {
            assert!(!faults.strikes(Fault::Html, other), "{text} {other:?}");
        }
        let struck = (0..10).filter(|_| faults.strikes(Fault::Html, Some(endpoint)));
        assert_eq!(struck.count(), 5, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_ends_at_its_time_and_when_somebody_changes_it() {
    let faults = Faults::new(vec![plan("refuse@30s+10s")], 1);
    let began = Instant::now();
    faults.until(Fault::Refuse, true).await;
    assert_eq!(began.elapsed().as_secs(), 30);
    faults.until(Fault::Refuse, false).await;
    assert_eq!(began.elapsed().as_secs(), 40);

    let never = faults.until(Fault::Refuse, true);
    assert!(timeout(Duration::from_hours(1), never).await.is_err());
    let injected = async {
        tokio::task::yield_now().await;
        faults.add(Fault::Refuse.into());
    };
    let both = async { tokio::join!(faults.until(Fault::Refuse, true), injected) };
    assert!(timeout(Duration::from_hours(1), both).await.is_ok());
}

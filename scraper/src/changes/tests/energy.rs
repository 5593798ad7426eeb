//! Energy: what counters say, over restarts, set-backs, and inverters that come and go.

use super::*;

#[test]
fn a_counter_that_was_set_back_goes_on_from_where_it_was_over_a_restart_too() {
    let mut changes = Changes::new();
    let detailed = |at: i64, lifetime: f64| {
        let mut poll = answer(&[report("a", at, 100)]);
        let detail = Detail {
            reported_at: at,
            energy_lifetime_wh: Some(lifetime),
            ..Detail::default()
        };
        poll.details.insert("a".to_owned(), detail);
        poll
    };
    let lifetimes = |judged: &Judged| {
        let of = |measured: &Measured| match measured {
            Measured::Inverter(inverter) => inverter.detail.clone()?.energy_lifetime_wh,
            Measured::Site(site) => site.energy_lifetime_wh,
            _ => None,
        };
        let found: Vec<f64> = judged
            .new
            .iter()
            .filter_map(of)
            .map(Quantity::get)
            .collect();
        found
    };
    let polls = [(0, 900_000.0), (900, 450_000.0), (1800, 450_070.0)];
    let said = polls.map(|(at, wh)| {
        let judged = changes.take(&detailed(NOW + at, wh), Some(NOW + at));
        lifetimes(&judged)
    });
    assert_eq!(said, [[900_000.0; 2], [900_000.0; 2], [900_070.0; 2]]);
    let remembered = changes.remembered();
    let newest = Measured::from(wire::Inverter {
        serial: "a".parse().expect("a serial"),
        reported_at: ReportTime::from_unix_seconds(NOW + 1800).expect("a time"),
        device_type: Some(1),
        power_w: 100,
        peak_power_w: 300,
        detail: Some(wire::Detail {
            energy_lifetime_wh: Some(900_070.into()),
            ..wire::Detail::default()
        }),
    });
    let (envoy, journal) = ("122012345678".parse(), "k3x9m2pq".parse());
    let newest = newest.numbered(envoy.expect("a serial"), journal.expect("an id"), 1);
    let mut changes = Changes::recalling(HashMap::new(), vec![newest], &remembered);
    let judged = changes.take(&detailed(NOW + 2700, 450_100.0), Some(NOW + 2700));
    assert_eq!(lifetimes(&judged), [900_100.0; 2]);
}

#[test]
fn after_a_restart_in_the_evening_yesterdays_energy_ends_at_midnight() {
    let polled = |now: i64, today: f64| {
        let counted = Flow {
            energy_today_wh: Some(today),
            energy_lifetime_wh: Some(900_000.0),
            ..flow(now, 0.0)
        };
        Poll {
            inverter_total: Some(counted),
            ..answer(&[report("a", NOW, 1)])
        }
    };
    let dark = NOW + 4200;
    let mut changes = Changes::new();
    let last = changes.take(&polled(NOW, 9767.0), Some(NOW)).new;
    let last = last
        .into_iter()
        .chain(changes.take(&polled(dark, 9767.0), Some(dark)).new);
    let (envoy, journal) = ("122012345678", "k3x9m2pq");
    let newest = (1..).zip(last).map(|(seq, measured)| {
        let (envoy, journal) = (envoy.parse().expect("a serial"), journal.parse());
        measured.numbered(envoy, journal.expect("an id"), seq)
    });
    // The newest of each subject.
    let newest: HashMap<Subject, Reading> = newest
        .map(|reading| (reading.measured.subject(), reading))
        .collect();
    let remembered = changes.remembered();
    let newest = newest.into_values().collect();
    let mut changes = Changes::recalling(changes.last, newest, &remembered);
    let evening = dark + 600;
    let said = changes.take(&polled(evening, 9767.0), Some(evening)).new;
    assert_eq!(said, [], "all of it is known");
    let midnight = dark + 4 * 3600;
    let said = changes.take(&polled(midnight, 0.0), Some(midnight)).new;
    let [Measured::Site(site)] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(site.measured_at.unix_seconds(), midnight);
    assert_eq!(site.energy_today_wh, Some(Quantity::ZERO));
    assert_eq!(site.energy_lifetime_wh, Some(900_000.into()));
    let later = changes.take(&polled(midnight + 60, 0.0), Some(midnight + 60));
    assert_eq!(later.new, []);
}

/// What is said of what the site ever made, as reports of its inverters come in, by their own lifetimes or the gateway's.
#[derive(Default)]
struct Lifetimes {
    changes: Changes,
    list: BTreeMap<&'static str, (i64, Option<f64>)>,
    said: Option<f64>,
}

impl Lifetimes {
    /// So many seconds later, these have a new report.
    fn after(
        &mut self,
        seconds: i64,
        reports: &[(&'static str, Option<f64>)],
        counted: Option<f64>,
    ) -> Option<f64> {
        let now = NOW + seconds;
        let reports = reports.iter();
        self.list
            .extend(reports.map(|(serial, wh)| (*serial, (now, *wh))));
        let list = self.list.iter();
        let list: Vec<_> = list
            .map(|(serial, (at, _))| report(serial, *at, 200))
            .collect();
        let mut poll = answer(&list);
        for (serial, (at, wh)) in &self.list {
            let detail = wh.map(|wh| Detail {
                reported_at: *at,
                energy_lifetime_wh: Some(wh),
                ..Detail::default()
            });
            poll.details
                .extend(detail.map(|detail| ((*serial).to_owned(), detail)));
        }
        poll.inverter_total = counted.map(|wh| Flow {
            energy_lifetime_wh: Some(wh),
            ..flow(now, 400.0)
        });
        let judged = self.changes.take(&poll, Some(now));
        let site = judged.new.iter().find_map(|measured| match measured {
            Measured::Site(site) => site.energy_lifetime_wh.map(Quantity::get),
            _ => None,
        });
        self.said = site.or(self.said);
        self.said
    }
}

/// Two days, in seconds.
const TWO_DAYS: i64 = 2 * 86_400;

#[test]
fn one_that_joins_the_sum_makes_nothing_and_one_that_is_heard_again_all_that_it_made() {
    let mut site = Lifetimes::default();
    let mega = Some(1_000_000.0);
    let mut after = |seconds, reports: &[_]| site.after(seconds, reports, None);
    assert_eq!(after(0, &[("a", mega), ("b", mega)]), Some(2_000_000.0));
    assert_eq!(after(60, &[("c", Some(5000.0))]), Some(2_000_000.0));
    assert_eq!(after(300, &[("a", Some(1_000_020.0))]), Some(2_000_020.0));
    assert_eq!(after(360, &[("c", Some(5010.0))]), Some(2_000_030.0));
    // Of b nothing is heard for two days.
    let reports = [("a", Some(1_004_020.0)), ("c", Some(6010.0))];
    assert_eq!(after(TWO_DAYS, &reports), Some(2_005_030.0));
    let reports = [("b", Some(1_004_000.0))];
    assert_eq!(after(TWO_DAYS + 60, &reports), Some(2_009_030.0));
}

#[test]
fn the_gateways_own_count_grows_by_what_its_inverters_can_have_made() {
    let mut site = Lifetimes::default();
    let mut after = |seconds, reports: &[_], counted| {
        let reports: Vec<_> = reports.iter().map(|serial| (*serial, None)).collect();
        site.after(seconds, &reports, Some(counted))
    };
    let (first, counted) = (Some(2_000_000.0), 2_000_000.0);
    assert_eq!(after(0, &["a", "b"], counted), first);
    assert_eq!(after(300, &["a"], counted + 5000.0), first, "a false count");
    let back = after(600, &["a"], counted + 20.0);
    assert_eq!(back, Some(2_000_020.0), "and back");
    assert_eq!(after(900, &["a"], counted + 40.0), Some(2_000_040.0));
    let later = after(TWO_DAYS, &["a"], counted + 3020.0);
    assert_eq!(later, Some(2_003_020.0));
    let later = after(TWO_DAYS + 60, &["b"], counted + 3020.0);
    assert_eq!(later, Some(2_003_020.0), "its count comes later");
    let later = after(TWO_DAYS + 360, &["a", "b"], counted + 9020.0);
    assert_eq!(later, Some(2_009_020.0), "and has what b made meanwhile");
}

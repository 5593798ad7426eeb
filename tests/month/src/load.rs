//! What a gateway has to bear of its reader.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use secrecy::ExposeSecret;
use simulator::GatewayRequest;

const INFO: &str = "/info";
const INVERTERS: &str = "/api/v1/production/inverters";

/// What is asked after the list, in this order; `info` for the clock comes last.
const AFTER_THE_LIST: [&str; 8] = [
    "/ivp/pdm/device_data",
    "/api/v1/production",
    "/ivp/meters",
    "/ivp/meters/readings",
    "/ivp/ensemble/inventory",
    "/ivp/ensemble/power",
    "/production.json",
    "info",
];

/// What may lie between the beginnings of two polls, in seconds, at least.
const APART_S: i64 = 60;

/// Requests for the list in one poll at most: the session has ended, the token is refused, the Envoy is looked for anew,
/// and refuses the token once more.
const MOST: usize = 10;

const HOUR_S: i64 = 3_600;

/// Polls, each by what it asked: `info`, or `list` with what it showed and the status that it got, as in
/// `info 200, list 401, list digest 200`; and, apart from that, by what it asked once it had the list.
#[derive(Debug, Default)]
pub struct Load {
    polls: BTreeMap<String, u64>,
    after_the_list: BTreeMap<String, u64>,
    /// What was asked after the list of the last poll, as far as it is known.
    after_the_last: Vec<String>,
    last: Option<i64>,
    /// The times of logins of the last hour that were refused.
    refused: VecDeque<i64>,
    most_refused: usize,
    wrong: Vec<String>,
}

impl Load {
    /// Takes in the requests of some polls, which began at these times.
    pub fn take(&mut self, mut requests: Vec<GatewayRequest>, polls: &[Timestamp]) {
        requests.sort_by_key(|request| request.came);
        let mut rest = requests.as_slice();
        // What came before the first of them belongs to the one before: it was given up just now.
        for next in polls.iter().copied().map(Some).chain([None]) {
            let of_this = next.map_or(rest.len(), |next| {
                rest.partition_point(|request| request.came < next)
            });
            let (poll, after) = rest.split_at(of_this);
            self.poll(poll);
            rest = after;
        }
    }

    fn poll(&mut self, requests: &[GatewayRequest]) {
        let Some(first) = requests
            .iter()
            .map(|request| request.came.as_second())
            .min()
        else {
            return;
        };
        if let Some(last) = self.last
            && first - last < APART_S
        {
            self.wrong
                .push(format!("polls {} s apart at {first}", first - last));
        }
        self.last = Some(first);
        let asked: Vec<String> = requests
            .iter()
            .map(|request| self.request(request))
            .collect();
        // The gateway's clock is not quite ours: the end of a poll can fall behind the beginning of the next.
        let belongs_to_the_last =
            |asked: &&String| asked.starts_with('/') && !asked.starts_with("/auth/");
        let late = asked.iter().take_while(belongs_to_the_last).count();
        let (late, asked) = asked.split_at(late);
        self.after_the_last.extend_from_slice(late);
        if asked.is_empty() {
            return;
        }
        let has_list = |asked: &String| asked.starts_with("list") && asked.ends_with(" 200");
        let until = asked
            .iter()
            .position(has_list)
            .map_or(asked.len(), |at| at + 1);
        let (list, after) = asked.split_at(until);
        *self.polls.entry(list.join(", ")).or_default() += 1;
        let before = std::mem::replace(&mut self.after_the_last, after.to_vec());
        *self.after_the_list.entry(before.join(", ")).or_default() += 1;
    }

    fn request(&mut self, request: &GatewayRequest) -> String {
        let at = request.came;
        if request.alongside > 0 {
            self.wrong.push(format!("two requests at once at {at}"));
        }
        let shown = request
            .authorization
            .as_ref()
            .map(ExposeSecret::expose_secret);
        let shown = match (shown, &request.cookie) {
            (None, None) => "",
            (None, Some(_)) => " cookie",
            (Some(header), None) if header.starts_with("Digest ") => " digest",
            (Some(header), None) if header.starts_with("Bearer ") => " token",
            (Some(header), Some(_)) if header.starts_with("Bearer ") => " token+cookie",
            // In clear, or worse.
            _ => " something else",
        };
        if request.authorization.is_some() && request.status == Some(401) {
            self.refused_at(at.as_second());
        }
        let path = match request.path.as_str() {
            INFO => "info",
            INVERTERS => "list",
            other => other,
        };
        let status = request
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        format!("{path}{shown} {status}")
    }

    fn refused_at(&mut self, at: i64) {
        self.refused.push_back(at);
        while self
            .refused
            .front()
            .is_some_and(|first| at - first >= HOUR_S)
        {
            self.refused.pop_front();
        }
        self.most_refused = self.most_refused.max(self.refused.len());
    }

    /// The share of the polls that took no more than they must: one request with token and session, or the
    /// challenge and its answer.
    #[must_use]
    pub fn steady(&self) -> f64 {
        let count = |poll: &str| self.polls.get(poll).copied().unwrap_or_default();
        let steady = count("list 401, list digest 200") + count("list token+cookie 200");
        #[expect(clippy::cast_precision_loss, reason = "some tens of thousands")]
        let share = steady as f64 / self.polls.values().sum::<u64>() as f64;
        share
    }

    /// Polls whose requests are too many, or not in the order in which they belong: a digest only after its
    /// challenge, a login only after a refusal, nothing secret with `/info`.
    #[must_use]
    pub fn disorder(&self) -> Vec<&str> {
        let in_order = |poll: &&str| {
            let asked: Vec<&str> = poll.split(", ").collect();
            let before = |index: usize| index.checked_sub(1).map(|index| asked[index]);
            let fits = |(index, asked): (usize, &&str)| match asked.rsplit_once(' ') {
                Some(("info" | "list" | "list token" | "list token+cookie", _)) => true,
                Some(("list digest", _)) => before(index) == Some("list 401"),
                Some(("/auth/check_jwt token", _)) => before(index) == Some("list token 401"),
                _ => false,
            };
            asked.len() <= MOST && asked.iter().enumerate().all(fits)
        };
        let polls = self.polls.keys().map(String::as_str);
        let after = self.after_the_list.keys().map(String::as_str);
        polls
            .filter(|poll| !in_order(poll))
            .chain(after.filter(|after| !is_one_after_another(after)))
            .collect()
    }

    /// How many polls asked what, by what they asked.
    #[must_use]
    pub fn polls(&self) -> &BTreeMap<String, u64> {
        &self.polls
    }

    /// The most logins that were refused in an hour.
    #[must_use]
    pub fn most_refused(&self) -> usize {
        self.most_refused
    }

    /// What must never be.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }
}

/// Whether each endpoint was asked once at most, in the order in which they belong, and with a digest only after
/// its challenge.
fn is_one_after_another(asked: &str) -> bool {
    let mut last = None;
    let mut challenged = None;
    asked
        .split(", ")
        .filter(|asked| !asked.is_empty())
        .all(|asked| {
            let mut words = asked.split(' ');
            let place = words
                .next()
                .and_then(|path| AFTER_THE_LIST.iter().position(|it| *it == path));
            let rest: Vec<&str> = words.collect();
            let is_answer = rest.contains(&"digest");
            let fits = match place {
                None => false,
                Some(_) if is_answer => challenged == place,
                // Nothing secret with it.
                Some(place) if AFTER_THE_LIST[place] == "info" => {
                    rest.len() == 1 && last < Some(place)
                }
                Some(place) => last < Some(place),
            };
            challenged = place.filter(|_| rest == ["401"]);
            last = place;
            fits
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    fn list(second: i64, authorization: Option<&str>, status: u16) -> GatewayRequest {
        GatewayRequest {
            came: at(second),
            ended: at(second),
            path: INVERTERS.to_owned(),
            authorization: authorization.map(Into::into),
            cookie: None,
            status: Some(status),
            alongside: 0,
        }
    }

    #[test]
    fn polls_that_are_close_together_and_requests_at_once_are_seen() {
        let mut load = Load::default();
        load.take(vec![list(0, None, 200)], &[at(0)]);
        load.take(
            vec![list(60, None, 200), list(119, None, 200)],
            &[at(60), at(119)],
        );
        let at_once = GatewayRequest {
            alongside: 1,
            ..list(180, None, 200)
        };
        load.take(vec![at_once], &[at(179)]);
        assert_eq!(load.wrong().len(), 2, "{:?}", load.wrong());
        assert_eq!(load.polls()["list 200"], 4);
    }

    #[test]
    fn refused_logins_are_counted_by_the_hour() {
        let mut load = Load::default();
        for minute in 0..120 {
            let second = 60 * minute;
            let login = list(second, Some("Bearer x"), 401);
            load.take(vec![login, list(second, None, 401)], &[at(second)]);
        }
        assert_eq!(load.most_refused(), 60);
    }

    #[test]
    fn what_is_out_of_order_is_seen() {
        let mut load = Load::default();
        for poll in ["list 401, list digest 200", "info 200, list token 200"] {
            load.polls.insert(poll.to_owned(), 1);
        }
        assert!(load.disorder().is_empty());
        for poll in [
            "list digest 200",
            "info token 200",
            "/auth/check_jwt token 200",
            "list something else 200",
            &["list 401"; 11].join(", "),
        ] {
            load.polls.insert(poll.to_owned(), 1);
        }
        assert_eq!(load.disorder().len(), 5, "{:?}", load.disorder());
    }

    #[test]
    fn after_the_list_each_endpoint_is_asked_once_in_its_place() {
        for asked in [
            "",
            "/ivp/pdm/device_data token+cookie 200, /ivp/meters token+cookie 401, info 200",
            "/api/v1/production 401, /api/v1/production digest 200, /ivp/meters 401, /ivp/meters digest 404",
        ] {
            assert!(is_one_after_another(asked), "{asked}");
        }
        for asked in [
            "list token+cookie 200",
            "/ivp/meters token 200, /ivp/pdm/device_data token 200",
            "/ivp/meters token 401, /ivp/meters token 200",
            "/api/v1/production digest 200",
            "/api/v1/production 401, /ivp/meters digest 200",
            "info token 200",
            "/home token 200",
        ] {
            assert!(!is_one_after_another(asked), "{asked}");
        }
    }
}

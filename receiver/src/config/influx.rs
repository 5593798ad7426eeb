//! What people write instead of InfluxDB's address and token.

use url::Url;

/// InfluxDB's address. It may have a path, where it is behind a proxy.
pub(super) fn address(given: &str) -> Result<Url, String> {
    let Some((scheme, rest)) = given.split_once("://") else {
        let instead = without_secrets(given);
        return Err(format!(
            "does not begin with http:// or https://; write http://{instead}"
        ));
    };
    if rest.contains('@') {
        return Err(
            "has a user name or password in it; InfluxDB wants a token, in its own setting"
                .to_owned(),
        );
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        scheme @ ("http" | "https") => scheme.to_owned(),
        "mqtt" | "mqtts" => {
            return Err(
                "is the address of a broker; write InfluxDB's, such as http://localhost:8086"
                    .to_owned(),
            );
        }
        _ => {
            return Err(format!(
                "does not begin with http:// or https://; write http://{host}"
            ));
        }
    };
    let url = Url::parse(given).map_err(|error| match error {
        url::ParseError::InvalidPort => {
            "has no valid port; write a number from 1 to 65535 after the colon".to_owned()
        }
        _ => "is not an address; write for example http://localhost:8086".to_owned(),
    })?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a ? or # in it; leave out what begins there".to_owned());
    }
    for (page, what) in [
        ("/api/", "the API's path"),
        ("/orgs/", "a page of InfluxDB's"),
    ] {
        if let Some(before) = format!("{}/", url.path()).find(page) {
            let base = &url.path()[..before];
            return Err(format!("has {what} in it; write {scheme}://{host}{base}"));
        }
    }
    Ok(url)
}

/// Why InfluxDB is hardly at this address. Any program may listen on any port, so it is no mistake.
pub(super) fn doubt(url: &Url) -> Option<&'static str> {
    match url.port()? {
        1883 | 8883 => Some("this is the port of an MQTT broker; InfluxDB has 8086"),
        3000 => Some("3000 is the port of Grafana; InfluxDB has 8086"),
        8123 => Some("8123 is the port of Home Assistant's page; InfluxDB has 8086"),
        _ => None,
    }
}

/// What can't be a token of InfluxDB's. Any text can, but for what was meant for something else. A
/// mistake is the rest of a sentence about the token, and says nothing of it.
pub(super) fn token(text: &str) -> Result<(), &'static str> {
    let text = text.trim();
    if text.starts_with("Token ") || text.starts_with("Bearer ") {
        Err("begins with the word that goes before a token in a request; leave that out")
    } else if text.starts_with("eyJ") && text.split('.').count() == 3 {
        Err("is an Envoy's token; InfluxDB's are made on its page, under API tokens")
    } else if text.starts_with(['"', '\'']) {
        Err("has quotation marks around it; leave them out")
    } else if text.contains(char::is_whitespace) || !text.is_ascii() {
        Err("has white space or letters in it that no token has; copy it once more")
    } else {
        Ok(())
    }
}

fn without_secrets(given: &str) -> &str {
    let host = given.rsplit_once('@').map_or(given, |(_, host)| host);
    host.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_answered_with_the_right_one() {
        for (given, said) in [
            ("http://localhost:8086", ""),
            ("https://db.example/influx", ""),
            ("HTTP://db", ""),
            ("localhost:8086", "write http://localhost:8086"),
            ("db", "write http://db"),
            ("hush@db:1?hush", "write http://db:1"),
            ("influx://db:8086/x", "write http://db:8086"),
            ("mqtt://db", "the address of a broker"),
            ("http://me:hush@db", "wants a token"),
            ("http://db?token=hush", "a ? or #"),
            ("http://db#hush", "a ? or #"),
            ("http://db:99999", "a number from 1 to 65535"),
            ("http://", "is not an address"),
            ("http://d b", "is not an address"),
            ("http://db:8086/api/v2/write", "write http://db:8086"),
            ("https://db/influx/api", "write https://db/influx"),
            ("http://db:8086/orgs/0123/buckets", "write http://db:8086"),
        ] {
            let mistake = address(given).err().unwrap_or_default();
            let right = if said.starts_with("write") {
                mistake.ends_with(said)
            } else {
                mistake.contains(said) && said.is_empty() == mistake.is_empty()
            };
            assert!(right, "{given}: {mistake}");
            assert!(!mistake.contains("hush"), "{mistake}");
        }
    }

    #[test]
    fn a_port_of_something_else_is_doubted() {
        let doubted = |url: &str| doubt(&url.parse().expect(url)).is_some();
        assert!(doubted("http://db:1883") && doubted("http://db:3000"));
        assert!(!doubted("http://db:8086") && !doubted("https://db") && !doubted("http://db:80"));
    }

    #[test]
    fn what_is_no_token_of_influxdbs_is_named() {
        for (text, said) in [
            ("Token abc", "leave that out"),
            ("eyJh.b.c", "an Envoy's token"),
            ("\"abc\"", "quotation marks"),
            ("a b", "white space"),
        ] {
            let wrong = token(text).expect_err(text);
            assert!(wrong.contains(said), "{text}: {wrong}");
        }
        for text in ["development-token", "eyJabc==", "k3x9_-=="] {
            assert_eq!(token(text), Ok(()));
        }
    }
}

use super::*;

fn base(text: &str) -> String {
    let host: Host = text.parse().expect(text);
    host.base(host.scheme().unwrap_or(Scheme::Https))
        .to_string()
}

fn refusal(text: &str) -> HostError {
    text.parse::<Host>().expect_err(text)
}

#[test]
fn every_usual_spelling_is_understood() {
    assert_eq!(base("envoy.local"), "https://envoy.local/");
    assert_eq!(base(" Envoy.Local "), "https://envoy.local/");
    assert_eq!(base("envoy_2"), "https://envoy_2/");
    assert_eq!(base("192.168.1.20"), "https://192.168.1.20/");
    assert_eq!(base("192.168.1.20:8443"), "https://192.168.1.20:8443/");
    assert_eq!(base("http://192.168.1.20"), "http://192.168.1.20/");
    assert_eq!(base("HTTP://192.168.1.20:80/"), "http://192.168.1.20/");
    assert_eq!(
        base("https://envoy.local:8443/"),
        "https://envoy.local:8443/"
    );
    assert_eq!(base("fd00::12"), "https://[fd00::12]/");
    assert_eq!(base("[fd00::12]"), "https://[fd00::12]/");
    assert_eq!(base("[fd00::12]:8443"), "https://[fd00::12]:8443/");
    assert_eq!(base("http://[fd00::12]:8080"), "http://[fd00::12]:8080/");
    assert_eq!(base("http://fd00::12"), "http://[fd00::12]/");
}

#[test]
fn a_scheme_that_is_not_given_is_left_open() {
    assert_eq!(
        "envoy.local".parse::<Host>().map(|host| host.scheme()),
        Ok(None)
    );
    assert_eq!(
        "http://envoy.local"
            .parse::<Host>()
            .map(|host| host.scheme()),
        Ok(Some(Scheme::Http))
    );
}

#[test]
fn an_address_shows_as_it_can_be_given_again() {
    for text in [
        "envoy.local",
        "192.168.1.20:81",
        "http://[fd00::12]:8080",
        "[fd00::12]",
    ] {
        assert_eq!(
            text.parse::<Host>().map(|host| host.to_string()),
            Ok(text.to_owned())
        );
    }
}

#[test]
fn the_cloud_is_not_an_envoy() {
    for text in [
        "https://enlighten.enphaseenergy.com/systems/12",
        "enphaseenergy.com",
        "entrez.enphaseenergy.com.",
        "https://www.enphase.com",
    ] {
        assert!(matches!(refusal(text), HostError::Cloud(_)), "{text}");
    }
    assert_eq!(base("notenphase.com"), "https://notenphase.com/");
}

#[test]
fn a_page_of_the_envoy_is_answered_with_its_address() {
    let message = refusal("https://192.168.1.20/home?x=1").to_string();
    assert!(
        message.ends_with("write \"https://192.168.1.20\""),
        "{message}"
    );
}

#[test]
fn a_password_in_the_address_is_refused_and_not_repeated() {
    for text in [
        "http://owner:hunter2@envoy.local",
        "owner:hunter2@envoy.local:99999",
    ] {
        let error = refusal(text);
        assert_eq!(error, HostError::Credentials);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn a_scheme_with_a_slip_is_answered_with_the_address_put_right() {
    for text in [
        "https//envoy.local",
        "https:/envoy.local",
        "https:///envoy.local",
        "HTTPS;//envoy.local/home?x=1",
        "https:\\\\envoy.local",
    ] {
        let error = refusal(text);
        let message = error.to_string();
        let is_named = matches!(error, HostError::SchemeSlip { .. } | HostError::Path { .. });
        assert!(is_named, "{text}: {message}");
        assert!(
            message.ends_with("write \"https://envoy.local\""),
            "{message}"
        );
    }
    assert_eq!(
        refusal("https//me:hush@envoy.local"),
        HostError::Credentials
    );
    assert_eq!(base("http.local"), "https://http.local/");
    assert_eq!(base("https:8443"), "https://https:8443/");
}

#[test]
fn an_address_of_one_interface_alone_is_refused_with_or_without_its_name() {
    for text in ["fe80::1", "[fe80::1]:80", "https://[fe80::1]"] {
        let error = refusal(text);
        assert!(matches!(error, HostError::LinkLocal(_)), "{text}: {error}");
        assert!(error.to_string().contains("IPv4 address"), "{error}");
    }
}

#[test]
fn nonsense_is_refused_with_a_remedy() {
    assert_eq!(refusal("  "), HostError::Empty);
    assert!(matches!(refusal("122012345678"), HostError::Number(_)));
    assert!(matches!(
        refusal("mqtt://envoy.local"),
        HostError::Scheme(_)
    ));
    assert!(matches!(refusal("envoy.local:http"), HostError::Port(_)));
    assert!(matches!(refusal("envoy.local:0"), HostError::Port(_)));
    assert!(matches!(refusal("envoy.local:"), HostError::Port(_)));
    assert!(matches!(refusal("fe80::1%eth0"), HostError::Zone(_)));
    assert!(matches!(refusal("[fe80::1%25eth0]:80"), HostError::Zone(_)));
    for text in [
        "my envoy",
        "192.168.1.256",
        "192.168.1",
        "0x7f.1",
        "0.0.0.0",
        "::",
        "ff02::1",
        "a..b",
        "[fd00::12",
        "https://",
        ":8080",
        "[]",
        "[::1]x",
        "envoy.local:80:90",
        "a\tb",
        "a%20b",
        "<host>",
    ] {
        let error = refusal(text);
        assert!(error.to_string().contains("envoy.local"), "{text}: {error}");
    }
    assert!(matches!(refusal(&"x".repeat(5_000)), HostError::Nonsense(said) if said.len() < 50));
}

proptest::proptest! {
    #[test]
    fn no_text_brings_the_parser_down(text in ".{0,60}") {
        if let Ok(host) = text.parse::<Host>() {
            proptest::prop_assert_eq!(host.to_string().parse::<Host>(), Ok(host.clone()));
            host.base(Scheme::Http);
        }
    }
}

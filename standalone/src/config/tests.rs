use super::*;

fn read(environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment
        .iter()
        .chain([&("STATE_DIR", "/nowhere")])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let read = Config::read(Sources {
        environment,
        ..Sources::default()
    });
    read.map(|(config, _)| config)
        .map_err(|problems| problems.to_string())
}

#[test]
fn without_an_envoy_one_is_simulated_with_the_sun_up() {
    let config = read(&[]).expect("nothing has to be set");
    assert!(matches!(config.source, Source::Simulated { .. }));
}

#[test]
fn settings_of_an_envoy_without_its_address_are_a_mistake() {
    let mistake = read(&[("ENVOY_TOKEN", "eyJsecret")]).expect_err("there is no address");
    assert!(
        mistake.contains("ENVOY_TOKEN: set, but the Envoy's address is not"),
        "{mistake}"
    );
    assert!(!mistake.contains("eyJsecret"), "{mistake}");
}

#[test]
fn broker_and_page_listen_beyond_this_machine_with_an_account_only() {
    for (listen, username, password) in [
        ("BROKER_LISTEN", "BROKER_USERNAME", "BROKER_PASSWORD"),
        ("PAGE", "PAGE_USERNAME", "PAGE_PASSWORD"),
    ] {
        assert!(read(&[(listen, "127.0.0.1:0")]).is_ok());
        assert!(read(&[(listen, "[::1]:0")]).is_ok());
        let mistake = read(&[(listen, "0.0.0.0:0")]).expect_err("for everyone");
        assert!(
            mistake.contains(&format!("needs {username} and {password}")),
            "{mistake}"
        );
        let all = [(listen, "0.0.0.0:0"), (username, "ada"), (password, "hush")];
        assert!(read(&all).is_ok());
        let mistake = read(&all[..2]).expect_err("no secret");
        assert!(
            mistake.contains(&format!("{username}: set without {password}")),
            "{mistake}"
        );
        let mistake = read(&[(password, "hush")]).expect_err("no name");
        assert!(
            mistake.contains(&format!("{password}: set without {username}")),
            "{mistake}"
        );
        assert!(!mistake.contains("hush"), "{mistake}");
        assert!(read(&[(username, "a:b"), (password, "hush")]).is_err());
    }
}

//! The README's table of settings has exactly the keys that the programs know.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use daemon::settings::Key;

const BEGIN: &str = "<!-- settings -->\n";
const END: &str = "<!-- /settings -->";

/// A row for each key that users set, in the order of the programs.
fn table() -> String {
    let programs = [
        ("scraper", scraper::config::keys()),
        ("receiver", receiver::config::keys()),
        ("single process", standalone::config::keys()),
    ];
    let mut order = Vec::new();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (program, keys) in &programs {
        for key in keys.iter().filter(|key| !key.env.is_empty()) {
            let users = users.entry(key.name).or_default();
            if users.is_empty() {
                order.push(*key);
            }
            users.push(program);
        }
    }
    let mut table = String::from(
        "| environment | file | flag | default | of | meaning |\n|---|---|---|---|---|---|\n",
    );
    for key in order {
        let users = match users[key.name].as_slice() {
            all if all.len() == programs.len() => "all".to_owned(),
            some => some.join(", "),
        };
        writeln!(table, "{}", row(&key, &users)).expect("a string can be written");
    }
    table
}

fn row(key: &Key, users: &str) -> String {
    let code = |text: &str| format!("`{text}`");
    let mut environment = code(key.env);
    if let Some(alias) = key.env_alias {
        write!(environment, " or {}", code(alias)).expect("a string can be written");
    }
    if key.secret {
        write!(environment, ", {}", code(&format!("{}_FILE", key.env)))
            .expect("a string can be written");
    }
    let flag = key.flag.map(|flag| code(&format!("--{flag}")));
    format!(
        "| {environment} | `{}` | {} | {} | {users} | {} |",
        key.name,
        flag.unwrap_or_default(),
        key.default.map(code).unwrap_or_default(),
        key.help
    )
}

#[test]
fn the_readme_lists_every_setting_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README");
    let (_, rest) = readme.split_once(BEGIN).expect("a table of settings");
    let (listed, _) = rest.split_once(END).expect("the table's end");
    let expected = table();
    assert!(
        listed == expected,
        "the README's table of settings should be:\n{expected}"
    );
}

use serde_json::{Value, json};

use super::*;

/// A device and the first of its parts.
#[derive(Debug, Default, PartialEq)]
struct Device<'a> {
    name: Plain<'a>,
    state: State<'a>,
    part: State<'a>,
}

#[derive(Debug, Default, PartialEq)]
struct State<'a> {
    power: Plain<'a>,
}

impl<'de> Picked<'de> for Device<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        Some(match key {
            "name" => Place::Plain(&mut self.name),
            "state" => Place::Object(&mut self.state),
            "parts" => Place::First(&mut self.part),
            _ => return None,
        })
    }
}

impl<'de> Picked<'de> for State<'de> {
    fn place(&mut self, key: &str) -> Option<Place<'_, 'de>> {
        (key == "power").then_some(Place::Plain(&mut self.power))
    }
}

fn device(name: &Value, power: &Value, of_part: &Value) -> Device<'static> {
    let state = |power| State {
        power: owned(power),
    };
    Device {
        name: owned(name),
        state: state(power),
        part: state(of_part),
    }
}

fn owned(value: &Value) -> Plain<'static> {
    match Plain::from(value) {
        Plain::None => Plain::None,
        Plain::Unsigned(number) => Plain::Unsigned(number),
        Plain::Negative(number) => Plain::Negative(number),
        Plain::Float(number) => Plain::Float(number),
        Plain::Text(text) => Plain::Text(text.into_owned().into()),
    }
}

fn picked(body: &str) -> Vec<Option<Device<'_>>> {
    let mut picked = Vec::new();
    entries(body, |entry| picked.push(entry)).expect(body);
    picked
}

fn refused(body: &str) -> Malformed {
    entries(body, |_: Option<Device<'_>>| {}).expect_err(body)
}

#[test]
fn what_is_wanted_is_picked_out_and_the_rest_passed_over() {
    let body = json!([
        {"other": [1, {"name": "x"}], "name": "a", "state": {"power": -1, "name": 2}, "parts": [{"power": 2.5}, {"power": 3}]},
        {"parts": [], "state": {}, "more": null},
    ]);
    let devices = [
        Some(device(&json!("a"), &json!(-1), &json!(2.5))),
        Some(Device::default()),
    ];
    assert_eq!(picked(&body.to_string()), devices);
}

#[test]
fn a_value_of_another_kind_costs_only_itself() {
    for other in [
        json!(null),
        json!(true),
        json!(1),
        json!("x"),
        json!([[1]]),
        json!({"x": {"power": 1}}),
    ] {
        let with = |key: &str| {
            let mut body = json!({"name": "a", "state": {"power": 1}, "parts": [{"power": 2}]});
            body[key] = other.clone();
            json!([body, {"name": "b"}]).to_string()
        };
        let kept = if other.is_number() || other.is_string() {
            other.clone()
        } else {
            Value::Null
        };
        let (one, two, a) = (json!(1), json!(2), json!("a"));
        let next = || Some(device(&json!("b"), &Value::Null, &Value::Null));
        let named = device(&kept, &one, &two);
        assert_eq!(picked(&with("name")), [Some(named), next()], "{other}");
        let without_state = device(&a, &Value::Null, &two);
        assert_eq!(
            picked(&with("state")),
            [Some(without_state), next()],
            "{other}"
        );
        let without_part = device(&a, &one, &Value::Null);
        assert_eq!(
            picked(&with("parts")),
            [Some(without_part), next()],
            "{other}"
        );
    }
}

#[test]
fn an_entry_that_is_no_object_keeps_its_place() {
    let entries = picked(r#"[null, 1, "x", [{"name": "y"}], {"name": "a"}]"#);
    let none = [None, None, None, None];
    let a = Some(device(&json!("a"), &Value::Null, &Value::Null));
    assert_eq!(entries, none.into_iter().chain([a]).collect::<Vec<_>>());
}

#[test]
fn a_key_that_comes_twice_or_in_other_letters_is_no_fault() {
    let body = r#"[{"name": "a", "name": "b", "n\u0061me": "c", "st\u0061te": {"power": 1}}]"#;
    let read = picked(body);
    assert_eq!(read, [Some(device(&json!("c"), &json!(1), &Value::Null))]);
}

#[test]
fn what_is_no_whole_document_is_not_read() {
    for body in [
        "",
        "[",
        r#"[{"name": "a"}"#,
        r#"[{"name": "a"},]"#,
        r#"[{"name": "a"}] <html>"#,
        r#"[{"name": "a", "other": [}]"#,
    ] {
        assert!(matches!(refused(body), Malformed::Json(_)), "{body}");
    }
}

#[test]
fn of_an_object_the_objects_in_it_are_read() {
    let body = json!({"count": 2, "1": {"name": "a"}, "2": [], "3": {}}).to_string();
    let a = device(&json!("a"), &Value::Null, &Value::Null);
    let mut read = Vec::new();
    values(&body, |value: Device<'_>| read.push(value)).expect("an object");
    assert_eq!(read, [a, Device::default()]);
    let of_a_list = values("[]", |_: Device<'_>| {}).expect_err("a list");
    for error in [of_a_list, refused("{}"), refused("1.5")] {
        assert!(matches!(error, Malformed::Shape(_)), "{error:?}");
    }
}

proptest::proptest! {
    /// As a tree reads it.
    #[test]
    fn whatever_is_json_is_read(body in "[\\[\\]{}:,\"a1.e-]{0,12}") {
        let of_device = format!("[{{\"name\": {body}}}]");
        let tree = serde_json::from_str::<Value>(&of_device);
        if let Ok(Value::Array(tree)) = tree {
            let read = picked(&of_device);
            proptest::prop_assert_eq!(read.len(), tree.len());
        }
    }
}

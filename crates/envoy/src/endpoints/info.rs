//! `/info`: who the Envoy is. Open to everyone, in every firmware.

use std::ops::RangeInclusive;

use roxmltree::{Document, Node, ParsingOptions};

use super::{Endpoint, INVISIBLE, Malformed, is_serial};
use crate::excerpt::Excerpt;
use crate::firmware::Firmware;

pub(crate) const INFO: Endpoint<Info> = Endpoint {
    path: "/info",
    parse,
};

/// Real documents have some 60 elements.
const MOST_NODES: u32 = 10_000;

/// In bytes; real documents have two thousand. The parser looks at each attribute as often as its element has others.
const LONGEST: usize = 64 * 1024;

/// What its clock may show, in Unix seconds: from 1970 on, where one that was never set begins, to the year 9999. What is
/// said beyond that is no time, and the difference of two of them no number.
const TIMES: RangeInclusive<i64> = 0..=253_402_300_799;

/// The longest part number that is kept; real ones have 13 characters.
const LONGEST_PART_NUMBER: usize = 32;

/// Who the Envoy is and what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its serial number, `[A-Za-z0-9_-]{1,32}`; twelve digits on real ones.
    pub serial: String,
    /// The firmware it runs.
    pub firmware: Firmware,
    /// The part number, such as `800-00654-r08`.
    pub part_number: Option<String>,
    /// The Envoy's clock at this answer, in Unix seconds from 1970 to 9999.
    pub time: Option<i64>,
    /// Whether it says that it takes web tokens: from firmware 7 on.
    pub web_tokens: bool,
    /// Whether it has a production meter of its own; unknown on the oldest firmware.
    pub metered: Option<bool>,
}

impl Info {
    /// Whether it is asked with a token; otherwise with a user and password.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        self.web_tokens || self.firmware.takes_tokens()
    }
}

/// Reads the answer of `/info`.
///
/// Only the serial and the firmware must be there. The order of elements, quotation marks and
/// indentation differ between firmwares.
pub fn parse(body: &[u8]) -> Result<Info, Malformed> {
    if body.len() > LONGEST {
        return Err(Malformed::TooMuch);
    }
    let text = String::from_utf8_lossy(body);
    let text = text
        .trim_start_matches(INVISIBLE)
        .trim_end_matches(|last: char| last.is_whitespace() || last == '\0');
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    // The reason may name what stands there, however long that is.
    let reason = |error: roxmltree::Error| Excerpt::of(error.to_string().as_bytes()).into_text();
    let document = Document::parse_with_options(text, options)
        .map_err(|error| Malformed::Xml(reason(error)))?;
    let root = document.root_element();
    if !root.has_tag_name("envoy_info") {
        return Err(Malformed::Shape("that of an Envoy"));
    }
    // The packages have part numbers and versions too.
    let device = child(root, "device").ok_or(Malformed::Part("device"))?;
    Ok(Info {
        serial: value(device, "sn")
            .filter(|serial| is_serial(serial))
            .ok_or(Malformed::Part("sn"))?
            .to_owned(),
        firmware: value(device, "software")
            .and_then(|software| software.parse().ok())
            .ok_or(Malformed::Part("software"))?,
        part_number: value(device, "pn")
            .filter(|number| number.len() <= LONGEST_PART_NUMBER)
            .filter(|number| number.bytes().all(|byte| byte.is_ascii_graphic()))
            .map(str::to_owned),
        time: value(root, "time")
            .and_then(|time| time.parse().ok())
            .filter(|time| TIMES.contains(time)),
        web_tokens: flag(root, "web-tokens").unwrap_or(false),
        metered: flag(device, "imeter"),
    })
}

fn child<'a, 'input>(parent: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    parent.children().find(|child| child.has_tag_name(name))
}

fn value<'a>(parent: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let text = child(parent, name)?.text()?.trim();
    (!text.is_empty()).then_some(text)
}

fn flag(parent: Node<'_, '_>, name: &str) -> Option<bool> {
    value(parent, name)?.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = "<?xml version='1.0' encoding='UTF-8'?>
<envoy_info>
  <time>1694549729</time>
  <device><sn>202312345678</sn><pn>800-00647-r10</pn><software>D7.3.130</software>
    <euaid>4c8675</euaid><imeter>true</imeter></device>
  <web-tokens>true</web-tokens>
  <package name='rootfs'><pn>500-00001-r01</pn><version>02.00.00</version></package>
</envoy_info>
";

    #[test]
    fn everything_of_use_is_read() {
        let info = parse(USUAL.as_bytes()).expect("a usual document");
        assert_eq!(info.serial, "202312345678");
        assert_eq!(info.firmware.to_string(), "D7.3.130");
        assert_eq!(info.part_number.as_deref(), Some("800-00647-r10"));
        assert_eq!(info.time, Some(1_694_549_729));
        assert!(info.web_tokens);
        assert_eq!(info.metered, Some(true));
    }

    #[test]
    fn order_quotes_and_what_surrounds_the_document_do_not_matter() {
        let odd = "\u{feff}\r\n  <?xml version=\"1.0\"?><envoy_info><package name=\"a\"><pn>1</pn></package>\
                   <device>\n\t<software> R3.9.36 </software><x/><sn>\n121426016034\n</sn></device></envoy_info>\n\0";
        let info = parse(odd.as_bytes()).expect("an odd document");
        assert_eq!(info.serial, "121426016034");
        assert_eq!(info.firmware.to_string(), "R3.9.36");
        assert_eq!(
            (info.part_number, info.time, info.web_tokens, info.metered),
            (None, None, false, None)
        );
    }

    #[test]
    fn a_broken_character_in_an_unused_part_does_no_harm() {
        let broken = USUAL.replace("4c8675", "\u{1}").into_bytes();
        let broken: Vec<u8> = broken
            .into_iter()
            .map(|byte| if byte == 1 { 0xd8 } else { byte })
            .collect();
        assert!(parse(&broken).is_ok());
    }

    #[test]
    fn a_time_that_no_clock_shows_is_unknown() {
        let time = |shown: &str| {
            let body = USUAL.replace("1694549729", shown);
            parse(body.as_bytes()).expect("a document").time
        };
        assert_eq!(time("0"), Some(0));
        assert_eq!(time("253402300799"), Some(253_402_300_799));
        for none in ["-1", "253402300800", "-9223372036854775808", "noon", ""] {
            assert_eq!(time(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_not_an_envoys_answer_is_named() {
        let refusal = |body: &str| parse(body.as_bytes()).expect_err(body);
        assert!(matches!(refusal(""), Malformed::Xml(_)));
        assert!(matches!(
            refusal("<!DOCTYPE html><p>Hi<p>"),
            Malformed::Xml(_)
        ));
        assert!(matches!(refusal(&USUAL[..200]), Malformed::Xml(_)));
        assert!(matches!(refusal("<html/>"), Malformed::Shape(_)));
        assert!(matches!(
            refusal("<envoy_info/>"),
            Malformed::Part("device")
        ));
        for (part, bad) in [("sn", "12/34"), ("sn", ""), ("software", "new")] {
            let good = if part == "sn" {
                "<sn>1<"
            } else {
                "<software>D5.0.62<"
            };
            let body = "<envoy_info><device><sn>1</sn><software>D5.0.62</software></device>\
                        </envoy_info>";
            let body = body.replace(good, &format!("<{part}>{bad}<"));
            assert!(
                matches!(refusal(&body), Malformed::Part(name) if name == part),
                "{body}"
            );
        }
    }

    /// So many, all different, on the element that an Envoy's answer is.
    fn document_of_attributes(count: usize) -> String {
        let attributes: Vec<_> = (0..count).map(|one| format!("a{one}=''")).collect();
        format!("<envoy_info {}/>", attributes.join(" "))
    }

    #[test]
    fn a_document_of_attributes_is_not_looked_at_when_it_is_too_large() {
        let refusal = |body: &str| parse(body.as_bytes()).expect_err("no Envoy's");
        let some = document_of_attributes(7_000);
        assert!(some.len() <= LONGEST);
        let refused = refusal(&some);
        assert!(matches!(refused, Malformed::Part("device")), "{refused}");
        let many = document_of_attributes(8_000);
        assert!(many.len() > LONGEST);
        let refused = refusal(&many);
        assert!(matches!(refused, Malformed::TooMuch), "{refused}");
    }

    #[test]
    fn what_is_said_of_a_document_is_short() {
        let body = format!("<envoy_info><{}>", "a".repeat(10_000));
        for body in [body.clone(), body + "</b>"] {
            let refusal = parse(body.as_bytes()).expect_err("not closed");
            assert!(refusal.to_string().len() < 300, "{refusal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_brings_the_parser_down(body in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = parse(&body);
            let _ = parse(&[USUAL.as_bytes(), &body].concat());
        }
    }
}

//! The table: what is set, and what is said (long, as tables are). Whatever must not be shown has the word hush in it.

use Program::{Receiver, Scraper, Standalone};

/// The program that is configured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    Scraper,
    Receiver,
    Standalone,
}

/// A configuration: flags (`--…`), variables (`NAME=value`), a file (`file: …`), on top of one that
/// is sound; and every line that is said about it. `{dir}` is a directory with [`FILES`].
pub(crate) struct Row {
    pub(crate) program: Program,
    pub(crate) set: &'static [&'static str],
    pub(crate) said: &'static [&'static str],
}

const fn row(program: Program, set: &'static [&'static str], said: &'static [&'static str]) -> Row {
    Row { program, set, said }
}

/// A CA that was valid until the beginning of 2021.
const EXPIRED: &[u8] = b"\
-----BEGIN CERTIFICATE-----\n\
MIIBQzCB66ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4cGlyZWQw\n\
HhcNMDAwMTAxMDAwMDAwWhcNMjEwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdleHBp\n\
cmVkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIDvXET4SE4MoGwwX7HbXlrKh\n\
r2pA6Cd2lRKfBMzH2HE3lA6IkgUK/Pi7IwaKZYl1IdRsq5Qe1C5GnV6Lnz5IqKMy\n\
MDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUtXErwfpg/n/X6Plx0KvokMLD\n\
5y4wCgYIKoZIzj0EAwIDRwAwRAIgSgOKMtG8jRfW6U3qBlgcW1wOLZhws7l0cQUS\n\
0LujouICICZiL9WB05we+rX9wTRYS/m+WkZxf7ABrbW1h7GlQIg3\n\
-----END CERTIFICATE-----\n";

pub(crate) const FILES: [(&str, &[u8]); 8] = [
    ("token", b"eyJhush.eyJhush.hush\n"),
    ("password", b"hush\n"),
    ("empty", b"\n"),
    ("marked", b"\xef\xbb\xbfeyJhush.eyJhush.hush"),
    ("utf16", b"\xff\xfeh\0u\0s\0h\0"),
    ("two", b"user\nhush\n"),
    ("expired", EXPIRED),
    ("noise", b"[mqtt]\npassword = \"hush\n"),
];

pub(crate) const WRONG: &[Row] = &[
    // The journal's size.
    row(
        Scraper,
        &["JOURNAL_SIZE=32"],
        &["JOURNAL_SIZE: \"32\" is out of range; write 1.0 MiB to 2.0 GiB"],
    ),
    row(
        Standalone,
        &["--journal-size=much"],
        &["--journal-size: \"much\" is no size; write a number and a unit, such as 32MiB"],
    ),
    // Health and metrics.
    row(
        Receiver,
        &["LISTEN=9464"],
        &[
            "LISTEN: \"9464\" is a port without an address; write 127.0.0.1:9464 for this machine alone, 0.0.0.0:9464 for all that can reach it",
        ],
    ),
    row(
        Scraper,
        &["--listen=::1", "METRICS_INVERTERS=yes"],
        &[
            "--listen: \"::1\" is an IPv6 address without a port; write [::1]:9464",
            "METRICS_INVERTERS: \"yes\" is neither true nor false; write one of them",
        ],
    ),
    // The Envoy's address.
    row(
        Scraper,
        &["ENVOY_HOST=https://enlighten.enphaseenergy.com/web/1?x=hush"],
        &[
            "ENVOY_HOST: \"https://enlighten.enphaseenergy.com/web/1?***\" is Enphase's cloud: give the address of the Envoy in your home network, such as envoy.local or 192.168.1.20",
        ],
    ),
    row(
        Scraper,
        &["--envoy=entrez.enphaseenergy.com"],
        &[
            "--envoy: \"entrez.enphaseenergy.com\" is Enphase's cloud: give the address of the Envoy in your home network, such as envoy.local or 192.168.1.20",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=122012345678"],
        &[
            "ENVOY_HOST: \"122012345678\" is a number, not an address: if it is the Envoy's serial, give it as such, and as address something like envoy.local or 192.168.1.20",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=owner:hush@192.168.1.20"],
        &[
            "ENVOY_HOST: \"***@192.168.1.20\": the Envoy's address holds a user name or password: leave them out and give them in their own settings",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=https://192.168.1.20/home?session=hush"],
        &[
            "ENVOY_HOST: \"https://192.168.1.20/home\" has more than an address: write \"https://192.168.1.20\"",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=192.168.1.20:80443"],
        &[
            "ENVOY_HOST: \"192.168.1.20:80443\" has no valid port: write a number from 1 to 65535 after the colon, or leave both out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=192.168.1.256"],
        &[
            "ENVOY_HOST: \"192.168.1.256\" is not an address: give a name or IP address, such as envoy.local or 192.168.1.20",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=mqtt://envoy.local"],
        &[
            "ENVOY_HOST: \"mqtt://envoy.local\": an Envoy is not reached by \"mqtt\": write http:// or https:// before its address, or neither",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=fe80::1%eth0"],
        &[
            "ENVOY_HOST: \"fe80::1%eth0\" names a network interface, which is not supported: give the Envoy's name or its IPv4 address",
        ],
    ),
    row(
        Scraper,
        &["--envoy="],
        &["--envoy: \"\" is empty; give a value or leave the setting out"],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=\"envoy.local\""],
        &[
            "ENVOY_HOST: \"\\\"envoy.local\\\"\" has quotation marks around it, which became part of the value; leave them out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST=envoy.local\r"],
        &[
            "ENVOY_HOST: \"envoy.local\\r\" has a line end or another control character in it; leave it out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_HOST= envoy.local"],
        &["ENVOY_HOST: \" envoy.local\" has white space around it; leave it out"],
    ),
    // Who it is, and how often it is asked.
    row(
        Scraper,
        &["--envoy-serial=12 2012345678"],
        &[
            "--envoy-serial: \"12 2012345678\" is not a serial number: expected 1 to 32 of the characters A-Z a-z 0-9 _ -; it is on the Envoy's label and in the Enphase app, mostly 12 digits",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_SERIAL=122012345678901234567890123456789"],
        &[
            "ENVOY_SERIAL: \"122012345678901234567890123456789\" is not a serial number: expected 1 to 32 of the characters A-Z a-z 0-9 _ -; it is on the Envoy's label and in the Enphase app, mostly 12 digits",
        ],
    ),
    row(
        Scraper,
        &["POLL_INTERVAL=60"],
        &["POLL_INTERVAL: \"60\" has no unit; write 60s for seconds, 60m for minutes"],
    ),
    row(
        Scraper,
        &["--poll-interval=5s"],
        &[
            "--poll-interval: \"5s\" is too short: gateways that are asked more often stop answering; write 60s or more",
        ],
    ),
    row(
        Scraper,
        &["POLL_INTERVAL=1d"],
        &["POLL_INTERVAL: \"1d\" is not a length of time; write 60s, 2m or 1m 30s"],
    ),
    row(
        Scraper,
        &["POLL_INTERVAL=often"],
        &["POLL_INTERVAL: \"often\" is not a length of time; write 60s, 2m or 1m 30s"],
    ),
    // The account that fetches one.
    row(
        Scraper,
        &["ENLIGHTEN_USERNAME=me@example.com"],
        &[
            "ENLIGHTEN_PASSWORD: missing: the password that goes with the user name (or ENLIGHTEN_PASSWORD_FILE, its file)",
        ],
    ),
    row(
        Scraper,
        &["ENLIGHTEN_PASSWORD=my-hush-password"],
        &["ENLIGHTEN_USERNAME: missing: the e-mail address that goes with the password"],
    ),
    row(
        Scraper,
        &["ENLIGHTEN_URL=http://enlighten.enphaseenergy.com"],
        &[
            "ENLIGHTEN_URL: \"http://enlighten.enphaseenergy.com\" is http, which would send the password in clear; write https://",
        ],
    ),
    row(
        Scraper,
        &["ENTREZ_URL=entrez"],
        &[
            "ENTREZ_URL: \"entrez\" is no address of Enphase's cloud; write it with https:// and its host, or leave the setting out",
        ],
    ),
    // Its certificate.
    row(
        Scraper,
        &["ENVOY_CERTIFICATE=accept"],
        &[
            "ENVOY_CERTIFICATE: \"accept\" is no policy for certificates; write accept-new, pinned, pinned:FINGERPRINT (SHA-256), system or insecure",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_CERTIFICATE=pinned:AB:CD"],
        &[
            "ENVOY_CERTIFICATE: \"pinned:AB:CD\" has no SHA-256 fingerprint behind pinned: that has 64 hexadecimal digits, with or without colons; openssl x509 -noout -fingerprint -sha256 shows it",
        ],
    ),
    // Its token.
    row(
        Scraper,
        &["ENVOY_TOKEN=my-hush-password"],
        &[
            "ENVOY_TOKEN: the secret is no token: those begin with eyJ; a password of Enphase's site is none",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN=Bearer eyJhush.b.c"],
        &["ENVOY_TOKEN: the secret begins with the word Bearer; leave that out"],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN={\"token\":\"eyJhush.b.c\"}"],
        &[
            "ENVOY_TOKEN: the secret has more than the token; keep what begins with eyJ, without quotation marks",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN=eyJhush"],
        &[
            "ENVOY_TOKEN: the secret is only a piece of a token, which has three parts between dots; copy the whole of it",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN=eyJhush.eyJ\nhush.hush"],
        &[
            "ENVOY_TOKEN: the secret has more than one line; the secret must stand alone (join the lines of one that was broken over several)",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE=eyJhush.b.c"],
        &[
            "ENVOY_TOKEN_FILE: names no file, and is not shown: it is a token itself; leave _FILE out of the name, or put it into a file",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_CERTIFICATE=eyJhush.b.c"],
        &[
            "ENVOY_CERTIFICATE: \"eyJ***\" is no policy for certificates; write accept-new, pinned, pinned:FINGERPRINT (SHA-256), system or insecure",
        ],
    ),
    row(
        Scraper,
        &[
            "ENLIGHTEN_USERNAME=me@example.com",
            "ENLIGHTEN_PASSWORD_FILE=my-hush-password",
        ],
        &[
            "ENLIGHTEN_PASSWORD_FILE: names no file, and is not shown: it may be the secret itself; if it is, leave _FILE out of the name, or else write the file's path with its directory",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}"],
        &["ENVOY_TOKEN_FILE: \"{dir}\" is a directory; name the file in it"],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}/nothing"],
        &["ENVOY_TOKEN_FILE: \"{dir}/nothing\" does not exist; check the path"],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}/empty"],
        &[
            "ENVOY_TOKEN_FILE: \"{dir}/empty\" is empty; put the secret in, or leave the setting out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}/marked"],
        &[
            "ENVOY_TOKEN_FILE: \"{dir}/marked\" begins with a byte order mark; save it as UTF-8 without one",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}/utf16"],
        &["ENVOY_TOKEN_FILE: \"{dir}/utf16\" is not UTF-8 text; save it as UTF-8"],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE={dir}/password"],
        &[
            "ENVOY_TOKEN_FILE: \"{dir}/password\" is no token: those begin with eyJ; a password of Enphase's site is none",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN_FILE=\"{dir}/token\""],
        &[
            "ENVOY_TOKEN_FILE: \"\\\"{dir}/token\\\"\" has quotation marks around it, which became part of the value; leave them out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_TOKEN=eyJhush.b.c", "ENVOY_TOKEN_FILE={dir}/token"],
        &["ENVOY_TOKEN: set together with ENVOY_TOKEN_FILE; keep one of them"],
    ),
    row(
        Scraper,
        &["file: [envoy]\ntoken = \"\""],
        &[
            "envoy.token in {dir}/settings.toml: the secret is empty; put the secret in, or leave the setting out",
        ],
    ),
    // The broker.
    row(
        Scraper,
        &["MQTT_URL=localhost:1883"],
        &[
            "MQTT_URL: 'localhost:1883' does not begin with mqtt:// or mqtts:// (TLS); write for example mqtt://broker.local:1883",
        ],
    ),
    row(
        Scraper,
        &["MQTT_URL=http://localhost:1883"],
        &[
            "MQTT_URL: 'http://localhost:1883' does not begin with mqtt:// or mqtts:// (TLS); write for example mqtt://broker.local:1883",
        ],
    ),
    row(
        Receiver,
        &["MQTT_URL=mqtt://me:hush@localhost"],
        &[
            "MQTT_URL: 'mqtt://…@localhost' has a user name or password in it; give them in settings of their own",
        ],
    ),
    row(
        Receiver,
        &["MQTT_URL=mqtt://localhost:99999"],
        &["MQTT_URL: 'mqtt://localhost:99999' has no usable port; it is a number from 1 to 65535"],
    ),
    row(
        Receiver,
        &["MQTT_URL=mqtt://localhost/envoy"],
        &[
            "MQTT_URL: 'mqtt://localhost/envoy' has something behind the host and port; leave it out",
        ],
    ),
    row(
        Receiver,
        &["MQTT_CA_FILE={dir}/token"],
        &[
            "MQTT_CA_FILE: \"{dir}/token\" has no certificate in PEM form (-----BEGIN CERTIFICATE-----); if it is in DER form, convert it with: openssl x509 -inform der -in FILE -out FILE.pem",
            "MQTT_CA_FILE: mqtt://localhost:1883 is not encrypted; write mqtts:// or leave the CA out",
        ],
    ),
    row(
        Receiver,
        &[
            "MQTT_URL=mqtts://broker",
            "MQTT_CA_FILE={dir}/expired",
            "INFLUX_URL=https://database:8086",
            "INFLUX_CA_FILE={dir}/expired",
        ],
        &[
            "MQTT_CA_FILE: \"{dir}/expired\" has no CA that is still valid, the last one expired on 2021-01-01; name a file with the CA's new certificate (or check this machine's clock)",
            "INFLUX_CA_FILE: \"{dir}/expired\" has no CA that is still valid, the last one expired on 2021-01-01; name a file with the CA's new certificate (or check this machine's clock)",
        ],
    ),
    row(
        Receiver,
        &["MQTT_URL=mqtts://broker", "MQTT_CA_FILE={dir}"],
        &["MQTT_CA_FILE: \"{dir}\" is a directory; name the file in it"],
    ),
    row(
        Receiver,
        &["MQTT_PASSWORD_FILE={dir}/two"],
        &[
            "MQTT_PASSWORD_FILE: \"{dir}/two\" has more than one line; the secret must stand alone (join the lines of one that was broken over several)",
        ],
    ),
    row(
        Receiver,
        &["MQTT_TOPIC=envoy/#"],
        &[
            "MQTT_TOPIC: \"envoy/#\" can't begin a topic: + and # are wildcards; write for example envoy or home/envoy",
        ],
    ),
    row(
        Receiver,
        &["MQTT_TOPIC=/envoy"],
        &[
            "MQTT_TOPIC: \"/envoy\" can't begin a topic: it is empty or has an empty level (a slash at its begin or end, or two in a row); write for example envoy or home/envoy",
        ],
    ),
    row(
        Receiver,
        &["--mqtt-username= "],
        &["--mqtt-username: \" \" has white space around it; leave it out"],
    ),
    // InfluxDB.
    row(
        Receiver,
        &["INFLUX_TOKEN=", "INFLUX_ORG=", "INFLUX_BUCKET="],
        &[
            "INFLUX_TOKEN: missing: an InfluxDB token that may write to the bucket (or INFLUX_TOKEN_FILE, or influx.token in a file)",
            "INFLUX_ORG: missing: the InfluxDB organisation (or --influx-org, or influx.org in a file)",
            "INFLUX_BUCKET: missing: the InfluxDB bucket (or --influx-bucket, or influx.bucket in a file)",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_URL=localhost:8086"],
        &[
            "INFLUX_URL: \"localhost:8086\" does not begin with http:// or https://; write http://localhost:8086",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_URL=http://db:8086/api/v2/write?token=hush"],
        &[
            "INFLUX_URL: \"http://db:8086/api/v2/write?***\" has a ? or # in it; leave out what begins there",
        ],
    ),
    row(
        Receiver,
        &["ENVOY_INFLUX_URL=http://db:8086/orgs/0123/buckets"],
        &[
            "ENVOY_INFLUX_URL: \"http://db:8086/orgs/0123/buckets\" has a page of InfluxDB's in it; write http://db:8086",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_URL=http://me:hush@db:8086"],
        &[
            "INFLUX_URL: \"http://***@db:8086\" has a user name or password in it; InfluxDB wants a token, in its own setting",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_URL=mqtt://db"],
        &[
            "INFLUX_URL: \"mqtt://db\" is the address of a broker; write InfluxDB's, such as http://localhost:8086",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_TOKEN=eyJhush.b.c"],
        &[
            "INFLUX_TOKEN: the secret is an Envoy's token; InfluxDB's are made on its page, under API tokens",
        ],
    ),
    row(
        Receiver,
        &["INFLUX_TOKEN=Token hush"],
        &[
            "INFLUX_TOKEN: the secret begins with the word that goes before a token in a request; leave that out",
        ],
    ),
    row(
        Receiver,
        &["RECEIVER_NAME=my receiver"],
        &[
            "RECEIVER_NAME: \"my receiver\" is not a receiver's name: expected 1 to 32 of the characters A-Z a-z 0-9 _ -; it names the broker's session and a topic",
        ],
    ),
    row(
        Receiver,
        &["MAX_ENVOYS=0"],
        &["MAX_ENVOYS: \"0\" is out of range; write a number from 1 to 32768"],
    ),
    row(
        Receiver,
        &["STORE=postgres:home"],
        &[
            "STORE: \"postgres:home\" is no store; write influxdb, or sqlite: and the path of a file",
        ],
    ),
    row(
        Receiver,
        &["--store=sqlite:"],
        &["--store: \"sqlite:\" has no file; write sqlite:/var/lib/envoy-scrape/readings.sqlite"],
    ),
    // Logs.
    row(
        Receiver,
        &["RUST_LOG=warning"],
        &[
            "RUST_LOG: \"warning\": write a level (off, error, warn, info, debug, trace), or a list such as info,mqtt=debug",
        ],
    ),
    row(
        Receiver,
        &["RUST_LOG=infoo"],
        &[
            "RUST_LOG: \"infoo\": write a level (off, error, warn, info, debug, trace), or a list such as info,mqtt=debug",
        ],
    ),
    row(
        Receiver,
        &["RUST_LOG=info,mqtt=loud"],
        &[
            "RUST_LOG: \"info,mqtt=loud\": write a level (off, error, warn, info, debug, trace), or a list such as info,mqtt=debug",
        ],
    ),
    row(
        Receiver,
        &["LOG_FORMAT=xml"],
        &["LOG_FORMAT: \"xml\": use text or json"],
    ),
    // The file.
    row(
        Receiver,
        &["--config={dir}/nothing.toml"],
        &["{dir}/nothing.toml: does not exist; check the path"],
    ),
    row(
        Receiver,
        &["--config={dir}/noise", "INFLUX_ORG="],
        &[
            "{dir}/noise: line 2 (password) is not TOML: invalid basic string; write key = \"value\", with quotation marks",
        ],
    ),
    row(
        Receiver,
        &["file: [mqtt]\npasword = \"hush\"\n[influxdb]\nurl = \"http://db\""],
        &[
            "influxdb.url in {dir}/settings.toml: there is no such key; did you mean influx.url?",
            "mqtt.pasword in {dir}/settings.toml: there is no such key; did you mean mqtt.password?",
        ],
    ),
    row(
        Receiver,
        &["file: MQTT_URL = \"mqtt://broker\"\nmqtt = \"mqtt://broker\""],
        &[
            "MQTT_URL in {dir}/settings.toml: there is no such key; did you mean mqtt.url?",
            "mqtt in {dir}/settings.toml: is a section; write [mqtt] on a line of its own, and its keys below",
        ],
    ),
    row(
        Receiver,
        &["file: [mqtt]\nurl = [\"mqtt://a\", \"mqtt://b\"]\n[mqtt.topic]\nbase = \"envoy\""],
        &[
            "mqtt.topic.base in {dir}/settings.toml: mqtt.topic takes one value, not a section; write mqtt.topic = \"value\"",
            "mqtt.url in {dir}/settings.toml: is a list; give one value",
        ],
    ),
    row(
        Receiver,
        &["file: [mqtt]\nurl = \"mqtt://a\"\nurl = \"mqtt://b\""],
        &[
            "{dir}/settings.toml: line 3 (url) sets for the second time what is set above it; keep one of them",
        ],
    ),
    row(
        Scraper,
        &["file: [envoy]\nhost = 192.168.1.20"],
        &[
            "{dir}/settings.toml: line 2 (host) is not TOML: invalid float; write key = \"value\", with quotation marks",
        ],
    ),
    // The single process.
    row(
        Standalone,
        &["ENVOY_TOKEN=eyJhush.b.c"],
        &["ENVOY_TOKEN: set, but the Envoy's address is not: give it with --envoy"],
    ),
    row(
        Standalone,
        &["BROKER_LISTEN=1883"],
        &["BROKER_LISTEN: \"1883\" is not an address and a port; write 127.0.0.1:1883"],
    ),
    row(
        Standalone,
        &["BROKER_LISTEN=0.0.0.0:1883"],
        &[
            "BROKER_LISTEN: \"0.0.0.0:1883\" can be reached from the network, so it needs BROKER_USERNAME and BROKER_PASSWORD; for this machine alone write 127.0.0.1:1883",
        ],
    ),
    row(
        Standalone,
        &["PAGE_USERNAME=house"],
        &["PAGE_USERNAME: set without PAGE_PASSWORD; set both, or neither"],
    ),
    row(
        Standalone,
        &["BROKER_PASSWORD=hush"],
        &["BROKER_PASSWORD: set without BROKER_USERNAME; set both, or neither"],
    ),
    row(
        Standalone,
        &["--page-username=a:b", "PAGE_PASSWORD=hush"],
        &[
            "--page-username: \"a:b\" has a colon, which ends a name where a browser sends it; choose another name",
        ],
    ),
    row(
        Standalone,
        &["PAGE=8340"],
        &["PAGE: \"8340\" is not an address and a port; write 127.0.0.1:8340"],
    ),
    row(
        Standalone,
        &["PAGE=0.0.0.0:8340"],
        &[
            "PAGE: \"0.0.0.0:8340\" can be reached from the network, so it needs PAGE_USERNAME and PAGE_PASSWORD; for this machine alone write 127.0.0.1:8340",
        ],
    ),
    row(
        Standalone,
        &["file: [testing]\nspeed = \"fast\"\ninverters = 0"],
        &[
            "testing.speed in {dir}/settings.toml: \"fast\" is not a whole number from 1 on; write for example 10",
            "testing.inverters in {dir}/settings.toml: \"0\" is not a whole number from 1 on; write for example 10",
        ],
    ),
    // All at once.
    row(
        Scraper,
        &[
            "ENVOY_HOST=122012345678",
            "MQTT_URL=broker",
            "POLL_INTERVAL=1s",
            "file: colour = 3",
        ],
        &[
            "colour in {dir}/settings.toml: there is no such key; --print-config lists them all",
            "ENVOY_HOST: \"122012345678\" is a number, not an address: if it is the Envoy's serial, give it as such, and as address something like envoy.local or 192.168.1.20",
            "POLL_INTERVAL: \"1s\" is too short: gateways that are asked more often stop answering; write 60s or more",
            "MQTT_URL: 'broker' does not begin with mqtt:// or mqtts:// (TLS); write for example mqtt://broker.local:1883",
        ],
    ),
];

pub(crate) const DOUBTFUL: &[Row] = &[
    row(
        Scraper,
        &["ENVOY_SERIAL=12201234567"],
        &[
            "ENVOY_SERIAL: \"12201234567\" is hardly an Envoy's serial number, which has 12 digits: look for a slip; it is on the Envoy's label and in the Enphase app",
        ],
    ),
    row(
        Scraper,
        &["--envoy-serial=I22012345678"],
        &[
            "--envoy-serial: \"I22012345678\" is hardly an Envoy's serial number, which has 12 digits: look for a slip; it is on the Envoy's label and in the Enphase app",
        ],
    ),
    row(
        Scraper,
        &["ENTREZ_URL=http://127.0.0.1:8080"],
        &[
            "ENTREZ_URL: is http, without TLS, as only a simulated cloud on this machine has it; leave the setting out for Enphase's own",
        ],
    ),
    row(
        Scraper,
        &[
            "ENLIGHTEN_USERNAME=me@example.com",
            "ENLIGHTEN_PASSWORD=my-hush-password",
            "ENVOY_TOKEN=eyJhush.b.c",
        ],
        &[
            "ENLIGHTEN_USERNAME: not used, since ENVOY_TOKEN goes before it, which nobody renews; leave one of them out",
        ],
    ),
    row(
        Scraper,
        &["ENVOY_CERTIFICATE=insecure"],
        &[
            "ENVOY_CERTIFICATE: insecure lets whoever takes the Envoy's address have the token; accept-new shows a new certificate, pinned refuses it",
        ],
    ),
    row(
        Scraper,
        &["MQTT_URL=mqtt://localhost:8086"],
        &["MQTT_URL: 8086 is the port of InfluxDB; brokers have 1883, with TLS 8883"],
    ),
    row(
        Scraper,
        &["--mqtt-url=mqtt://localhost:8883"],
        &["--mqtt-url: 8883 is the port for TLS; write mqtts:// if the broker has TLS there"],
    ),
    row(
        Receiver,
        &["INFLUX_URL=http://localhost:1883"],
        &["INFLUX_URL: this is the port of an MQTT broker; InfluxDB has 8086"],
    ),
    row(
        Receiver,
        &["MQTT_PASSWORD='hush'"],
        &[
            "MQTT_PASSWORD: the secret has quotation marks around it, which are taken as part of it; if they are not, leave them out",
        ],
    ),
    row(
        Receiver,
        &["MQTT_USER=me", "INFLUX_TOKN_FILE=x", "INFLUX_BUCKT=x"],
        &[
            "INFLUX_TOKN_FILE: is no setting of this program; did you mean INFLUX_TOKEN_FILE?",
            "MQTT_USER: is no setting of this program; did you mean MQTT_USERNAME?",
        ],
    ),
    // A cluster's variables about its services, and what the other daemon reads.
    row(
        Receiver,
        &[
            "MQTT_PORT=tcp://10.0.0.1:1883",
            "MQTT_PORT_1883_TCP=tcp://10.0.0.1:1883",
            "MQTT_SERVICE_HOST=10.0.0.1",
            "INFLUX_PORT_8086_TCP=tcp://10.0.0.1:8086",
            "ENVOY_HOST=192.168.1.20",
            "ENVOY_TOKEN=eyJhush.b.c",
            "ENVOY_SERIAL=122012345678",
        ],
        &[],
    ),
];

pub(crate) const IN_FORCE: &str = "
name = \"second\"  # name in {dir}/settings.toml
state_dir = \"/nowhere\"  # STATE_DIR
store = \"influxdb\"  # default
max_envoys = \"1000\"  # default
# listen  # not set

[influx]
url = \"http://db:8086\"  # ENVOY_INFLUX_URL
# ca_file  # not set
# token = \"***\"  # hidden, from INFLUX_TOKEN
org = \"home\"  # INFLUX_ORG
bucket = \"solar\"  # --influx-bucket

[mqtt]
url = \"mqtt://localhost:1883\"  # default
username = \"me@home\"  # mqtt.username in {dir}/settings.toml
password_file = \"{dir}/password\"  # MQTT_PASSWORD_FILE
# ca_file  # not set
# cert_file  # not set
# key_file  # not set
topic = \"envoy\"  # default

[testing]
keep_alive = \"5s\"  # testing.keep_alive in {dir}/settings.toml

[log]
filter = \"info\"  # default
format = \"text\"  # default";

//! The command line of `envoy-simulator`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{
    CloudOptions, FaultPlan, Firmware, Meters, Options, Role, Serial, SiteOptions, Source,
};
use clap::Parser;
use jiff::{SignedDuration, Timestamp, civil};

/// A simulated Enphase Envoy: a recorded gateway, or a synthetic site.
///
/// The first line of standard output names its address. Below firmware 7 it asks for digest
/// authentication, from 7 on for a token (see --token-out) over TLS.
#[derive(Debug, Parser)]
#[command(name = "envoy-simulator", version)]
pub(crate) struct Cli {
    /// Replay the gateway recorded in this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = [
        "inverters", "ghosts", "firmware", "serial", "seed", "speed", "start", "report_interval", "noon",
        "hold", "meters", "batteries", "ac_batteries",
    ])]
    recording: Option<PathBuf>,
    /// Inverters of the synthetic site [default: 12]
    #[arg(long, value_name = "N")]
    inverters: Option<usize>,
    /// Inverters that are listed but have never reported [default: 0]
    #[arg(long, value_name = "N")]
    ghosts: Option<usize>,
    /// Firmware, 3.9 to 8.x [default: 8.3.5169]
    #[arg(long, value_name = "V")]
    firmware: Option<Firmware>,
    /// Serial of the gateway [default: 122012345678]
    #[arg(long, value_name = "S")]
    serial: Option<Serial>,
    /// Another seed gives other inverters, clouds and times [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How much faster than ours its clock runs, until it has caught up [default: 1]
    #[arg(long, value_name = "X")]
    speed: Option<u32>,
    /// What its clock shows at first (RFC 3339) [default: now; with --speed a dawn far enough back]
    #[arg(long, value_name = "TIME")]
    start: Option<Timestamp>,
    /// Seconds between two reports of an inverter: 300, 900 or 3600 [default: 300]
    #[arg(long, value_name = "SECONDS")]
    report_interval: Option<u32>,
    /// Solar noon in UTC: inverters report only while the sun is up [default: 12:00]
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    noon: Option<civil::Time>,
    /// Its meters: none, connected (production, what is exchanged with the grid, and batteries where there are
    /// some, on three phases) or disabled (nothing is connected: they show noise) [default: none]
    #[arg(long, value_name = "KIND")]
    meters: Option<Meters>,
    /// Its batteries, with 3.5 kWh each [default: 0]
    #[arg(long, value_name = "N")]
    batteries: Option<usize>,
    /// Its AC batteries, with 1.2 kWh each [default: 0]
    #[arg(long, value_name = "N")]
    ac_batteries: Option<usize>,
    /// Keep each report on show until clients at this address had it in two complete answers
    #[arg(long, value_name = "ADDRESS")]
    hold: Option<IpAddr>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A second address, as the gateway's port 80: then --listen stands for its port 443
    ///
    /// Below firmware 7 only this one is open; from 7 on it has /info and sends all else to the other
    /// one; from 8.3.5286 on it is closed.
    #[arg(long, value_name = "ADDRESS")]
    http_listen: Option<SocketAddr>,
    /// Keep the certificate and its key in this file, for the next simulator to have the same
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Write a valid owner token to this file
    #[arg(long, value_name = "FILE")]
    token_out: Option<PathBuf>,
    /// Append every report shown in a complete answer to this file, as JSON lines
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Announce the gateway by mDNS, as real ones do, but with the port that it has
    ///
    /// On the network that --listen is an address of, loopback included, but there by IPv4 only: IPv6 has no
    /// multicast on it. The port is that of mDNS; tests choose another one, where only they listen.
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "5353")]
    announce: Option<u16>,
    /// Simulate Enphase's cloud too, at this address: Enlighten and Entrez, which hand out tokens
    ///
    /// A further line of standard output names it. It speaks plain HTTP; port 0 takes a free
    /// one.
    #[arg(long, value_name = "ADDRESS")]
    cloud: Option<SocketAddr>,
    /// The account of the cloud that owns the gateway
    #[arg(long, value_name = "NAME", requires = "cloud", default_value = CloudOptions::USERNAME)]
    cloud_username: String,
    /// Its password: there is nothing that it protects
    #[arg(long, value_name = "PASSWORD", requires = "cloud", default_value = CloudOptions::PASSWORD)]
    cloud_password: String,
    /// What the cloud's tokens make of their bearer: owner (for a year), installer (for 12 hours), or anybody, who may read nothing
    #[arg(long, value_name = "ROLE", requires = "cloud", default_value_t = Role::Owner)]
    cloud_role: Role,
    /// How long the cloud's tokens are good for, by the gateway's clock [default: as of the role]
    #[arg(long, value_name = "LENGTH", requires = "cloud", value_parser = length)]
    cloud_lifetime: Option<Duration>,
    /// Append every request to the cloud to this file, as JSON lines
    #[arg(long, value_name = "FILE", requires = "cloud")]
    cloud_requests: Option<PathBuf>,
    /// Something goes wrong; can be given several times
    ///
    /// FAULT[/ENDPOINT][@FROM[+LENGTH]][~1/N], such as hang, hang@30s+10s, unauthorized~1/5,
    /// hang/device-data or busy@1m+30s~1/2. FROM counts from the start, LENGTH is for ever when it is
    /// left out, both by our clock; of N requests it strikes one, always the same ones for the same
    /// seed. ENDPOINT is all that it concerns: inverters, device-data, totals, production, meters,
    /// meter-readings, batteries, battery-power. FAULT is:
    ///
    ///   refuse            the port is closed, connections are refused (takes no rate)
    ///   hang              requests are read and never answered
    ///   reset-second      the second request of a connection is answered by a reset
    ///   busy              503 "resource busy" to everything
    ///   unauthorized      401, whoever asks
    ///   html              a web page with status 200 in place of data
    ///   missing           404 in place of data
    ///   empty-list        no inverters, as after a restart
    ///   truncate          the connection ends in the middle of a body
    ///   drip              bodies come byte by byte, ten in a second
    ///   length-too-long   Content-Length promises more than is sent
    ///   length-too-short  Content-Length promises half of what is sent
    ///   nightly           each night, shortly after 23:00 where noon is --noon and by the gateway's
    ///                     clock, requests hang for half a minute and more, for 2 to 5 minutes
    #[arg(long, value_name = "PLAN", verbatim_doc_comment)]
    fault: Vec<FaultPlan>,
    /// Switch faults and change the gateway while it runs: a Unix socket that takes one line each and answers ok
    ///
    ///   PLAN              a fault, its times counted from then
    ///   heal              the end of all faults
    ///   reboot [DOWN[+WAKING]]
    ///                     connections are refused, sessions forgotten; then the list is empty, or
    ///                     from firmware 7 on all is 503 for the first half of WAKING [default:
    ///                     2m+3m; by our clock]
    ///   firmware V        an update at once, or the way back; site, serial and history stay
    ///   certificate       a new one, as after updates and once a year
    ///   replace SERIAL    an inverter is replaced: it stays listed, and a new one appears
    ///   dead SERIAL       an inverter reports no more; the others do
    ///   shade SERIAL PERCENT
    ///                     an inverter gives only so much of what it would
    ///   well SERIAL       the end of both
    ///   count-from WH     the gateway's counters of lifetimes, its meters' too, go on from this: 0
    ///                     as after some updates, 1193000 so that one soon wraps below 8.2.128
    ///   reader-started    with --hold: answers until now count no more
    ///   freeze, thaw      with --hold: nothing new is shown, until it is again
    ///   set-back LENGTH   with --hold: the gateway's clock goes back, as in set-back 1h
    ///   cloud SWITCH      with --cloud, of what is asked from then on:
    ///     mfa on|off                 a login gives no session: a code is asked for next
    ///     too-many-sessions on|off|everywhere
    ///                                a login gives no session, but a message that says so; with
    ///                                everywhere the form for people lets nobody in either
    ///     blocked on|off             the account is turned away by the login and by the form
    ///     down on|off                503 to everything
    ///     password NEW               of the account; its sessions end
    ///     role owner|installer|anybody  of tokens
    ///     lifetime LENGTH|default    of tokens, by the gateway's clock, as in lifetime 12h
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub(crate) control: Option<PathBuf>,
    /// Ask the simulator at this address whether it answers, and end with code 0 or 1: for containers
    #[arg(long, value_name = "ADDRESS", exclusive = true)]
    pub(crate) health: Option<SocketAddr>,
}

impl Cli {
    /// The options it stands for.
    pub(crate) fn options(self) -> Options {
        let default = SiteOptions::default();
        let site = SiteOptions {
            inverters: self.inverters.unwrap_or(default.inverters),
            ghosts: self.ghosts.unwrap_or(default.ghosts),
            firmware: self.firmware.unwrap_or(default.firmware),
            serial: self.serial.unwrap_or(default.serial),
            seed: self.seed.unwrap_or(default.seed),
            speed: self.speed.unwrap_or(default.speed),
            start: self.start.or(default.start),
            report_interval_s: self.report_interval.unwrap_or(default.report_interval_s),
            noon: self.noon.unwrap_or(default.noon),
            meters: self.meters.unwrap_or(default.meters),
            batteries: self.batteries.unwrap_or(default.batteries),
            ac_batteries: self.ac_batteries.unwrap_or(default.ac_batteries),
            hold_for: self.hold,
        };
        let cloud = self.cloud.map(|listen| CloudOptions {
            listen,
            username: self.cloud_username,
            password: self.cloud_password.into(),
            role: self.cloud_role,
            token_lifetime: self.cloud_lifetime,
            requests: self.cloud_requests,
        });
        Options {
            source: self.recording.map_or(Source::Site(site), Source::Recording),
            listen: self.listen,
            http_listen: self.http_listen,
            certificate: self.certificate,
            ledger: self.ledger,
            token_out: self.token_out,
            faults: self.fault,
            cloud,
            announce: self.announce,
            ..Options::default()
        }
    }
}

fn time_of_day(text: &str) -> Result<civil::Time, String> {
    text.parse()
        .map_err(|_| "give a time of day in UTC, such as 09:30".to_owned())
}

fn length(text: &str) -> Result<Duration, String> {
    let length = text.parse::<SignedDuration>().ok();
    let length = length.and_then(|length| Duration::try_from(length).ok());
    length.ok_or_else(|| "give a length of time, such as 12h".to_owned())
}

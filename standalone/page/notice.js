// Whether what is shown is so now, and what is to be said about it.
import { sentence, when } from '/words.js';

// How long before the newest report of all one may be to belong to the same moment, in milliseconds: the longest
// interval, and some minutes.
const TOGETHER = 65 * 60000;

// The Envoy's clock, in milliseconds, as its gateway topic says how far it is ahead of ours.
export const envoyNow = (gateway) => Date.now() + ((gateway && gateway.clock_skew_s) || 0) * 1000;

// What is dated further ahead of that clock, in milliseconds, says nothing: the clock was set back since.
export const AHEAD = 10 * 60000;

// What is so: who reports, whether the Envoy is away, whether it is night, and the sum that is shown, with its time
// where it is not of now. `lost` is when the connection to the program was lost, where it is.
export function situation(state, lost) {
  const { now, chain } = state;
  const all = [...state.inverters.values()];
  const reporting = all.filter((inverter) => inverter.reporting);
  const gateway = (chain && chain.gateway) || null;
  const away = gateway !== null && gateway.reachable === false;
  const asleep = all.length > 0 && all.every((inverter) => inverter.state && inverter.state !== 'reporting');
  const night = gateway !== null && !away && reporting.length === 0 && asleep;
  const newest = all.length === 0 ? null : new Date(Math.max(...all.map((inverter) => Date.parse(inverter.reported_at))));
  const silent = away || (now !== null && reporting.length === 0 && !night);
  const at = silent && newest ? newest : lost;
  const last = all.filter((inverter) => Date.parse(inverter.reported_at) > newest - TOGETHER);
  const shown = silent && reporting.length === 0 ? last : reporting;
  const watts = shown.reduce((sum, inverter) => sum + inverter.power_w, 0);
  return { all, reporting, gateway, away, night, newest, at, watts, now };
}

// What is to be said; nothing while all is as it should be.
export function remark({ all, reporting, gateway, away, night, newest, now }) {
  if (!now) return '';
  const status = now.status || 'waiting for the Envoy';
  if (away) return `The Envoy does not answer. ${sentence(gateway.problem || now.status || '')}`;
  if (all.length === 0) return `No reading yet. ${sentence(status)}`;
  if (gateway === null) return `The Envoy has not answered since the program was started; the last report is of ${when(newest)}. ${sentence(status)}`;
  if (night) return 'No inverter reports: at night that is as it should be.';
  if (reporting.length === 0) return `No inverter has reported lately: the last report is of ${when(newest)}.`;
  if (now.simulated) return 'This Envoy is simulated. To see your own: envoy-scrape --envoy ADDRESS';
  return '';
}

// The day as a chart: today's curve beside yesterday's and the best, and what the house uses and exchanges.
import { STEP, draw, placed } from '/chart.js';
import { usedSeries } from '/home.js';
import { day, energy, power } from '/words.js';

// What can be added, by its key in what is drawn.
export const FLOWS = {
  used_w: { label: 'In use', name: '--used' },
  net_w: { label: 'Grid', name: '--grid' },
  battery_w: { label: 'Battery', name: '--battery' },
};

// The last values of today are left out until each inverter that reports has reported beyond them: a sum that lacks some
// would look like a cloud. One that is 20 minutes behind the newest is not waited for, and what is dated ahead of the
// Envoy's clock says nothing of it. `now` is in seconds, by that clock.
export function sofar(series, inverters, now) {
  const reported = inverters.map((inverter) => Date.parse(inverter.reported_at) / 1000).filter((time) => time <= now + STEP);
  const newest = Math.max(...reported, 0);
  const until = Math.min(...reported.filter((time) => time > newest - 1200), newest);
  return series.power_w.filter((_, i) => series.from + (i + 1) * STEP <= until);
}

// The highest of those that are known, null where none is.
export function highest(values) {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

// What there is to be drawn of flows, as the API has them.
export function flowsOf(flows) {
  const used = usedSeries(flows);
  return used ? { ...flows, used_w: used } : flows;
}

// The days to compare with: yesterday, and the best of those that were read, with how many those are. Each is null where
// there is none.
export function compared(days) {
  const read = days.slice(0, -1).filter((one) => one.energy_wh > 0);
  const yesterday = days[days.length - 2];
  const best = read.reduce((a, b) => (a && a.energy_wh >= b.energy_wh ? a : b), null);
  return { best, count: read.length, yesterday: read.includes(yesterday) ? yesterday : null };
}

const named = (one) => day.format(new Date((one.from + one.until) * 500));

// What the best day is called.
function bestLabel({ best, count, yesterday }) {
  const of = count > 1 ? ` of ${count} days` : '';
  return best === yesterday ? `Yesterday, the best${of}` : `Best${of}, ${named(best)}`;
}

// Draws them; `before` and `top` are the series of the days compared with, `chosen` the flows to be added.
export function drawDay(holder, { today, values, days, before, top, flows, chosen }, plot) {
  const lines = [];
  const { best, count, yesterday } = days;
  if (best && best !== yesterday) lines.push({ label: bestLabel(days), name: '--quiet', dash: [4, 4], values: placed(top.power_w, best.from) });
  if (yesterday) lines.push({ label: best === yesterday && count > 1 ? bestLabel(days) : 'Yesterday', name: '--cool', values: placed(before.power_w, yesterday.from) });
  lines.push({ label: 'Today', name: '--sun', fill: true, values: placed(values, today.from) });
  for (const [key, flow] of Object.entries(FLOWS)) {
    if (chosen.has(key) && flows[key]) lines.push({ ...flow, values: placed(flows[key], today.from) });
  }
  const peak = highest(values);
  const parts = [`Today ${energy(today.energy_wh)}${peak === null ? '' : `, at most ${power(peak)}`}`];
  if (yesterday) parts.push(`yesterday ${energy(yesterday.energy_wh)}`);
  if (best && count > 1) parts.push(`the best of ${count} days ${energy(best.energy_wh)}`);
  holder.setAttribute('aria-label', `Power over the day. ${parts.join('; ')}`);
  return draw(holder, lines, plot);
}

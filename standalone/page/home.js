// What the house uses, the grid gives or takes, and batteries do: as far as the gateway measures it.
import { AHEAD, envoyNow } from '/notice.js';
import { energy, make, percent, power, powerParts, when } from '/words.js';

// The newest readings of each kind, by their Envoy and device.
const measured = new Map();

// What the gateway says of itself, whose readings can't be had now by that, and whether any can.
let gateway = null;
let stale = [];
let reachable = true;

// What was not measured for longer than a day, in milliseconds, is shown no more.
const LATE = 24 * 3600000;

// Readings that are no further apart, in milliseconds, are of one moment: one that shows nothing new is published each
// quarter of an hour.
const TOGETHER = 16 * 60000;

const key = (reading) => `${reading.envoy}/${reading.serial || ''}`;
const time = (reading) => Date.parse(reading.measured_at);
const given = (value) => value !== null && value !== undefined;

// Whether a reading is dated ahead of the Envoy's clock.
const ahead = (reading) => time(reading) > envoyNow(gateway) + AHEAD;

// All that was measured last, as the API has it. What was heard meanwhile is newer: it is published before it is stored.
// What was dated by a clock that was ahead gives way to what is not.
export function take(kinds) {
  for (const kind of [...measured.keys()]) if (!kinds[kind]) measured.delete(kind);
  for (const [kind, readings] of Object.entries(kinds)) {
    const before = measured.get(kind) || new Map();
    const newest = (reading) => {
      const known = before.get(key(reading));
      return known && !ahead(known) && (ahead(reading) || time(known) > time(reading)) ? known : reading;
    };
    measured.set(kind, new Map(readings.map(newest).map((reading) => [key(reading), reading])));
  }
}

// One reading that was just published.
export function hear(kind, reading) {
  if (!measured.has(kind)) measured.set(kind, new Map());
  measured.get(kind).set(key(reading), { ...reading, current: true });
}

// What the gateway says of itself, and whether there is a connection to the program that hears it.
export function judge(itself, linked) {
  gateway = itself;
  stale = (gateway && gateway.stale) || [];
  reachable = linked && (!gateway || gateway.reachable !== false);
}

// The path of a reading's topic below that of its Envoy.
const path = (kind, reading) => (kind === 'battery' ? `batteries/${reading.serial}` : kind);

// Whether a reading says what is so now.
const isCurrent = (kind, reading) => reachable && reading.current && !stale.includes(path(kind, reading));

// Everything that was measured of a kind lately.
const lately = (kind) => [...(measured.get(kind) || new Map()).values()]
  .filter((reading) => !ahead(reading) && envoyNow(gateway) - time(reading) < LATE);

// What is so now of a kind; where nothing is, what was so last, and when. `all` is how many there are.
function known(kind) {
  const late = lately(kind);
  const current = late.filter((reading) => isCurrent(kind, reading));
  if (current.length > 0) return { readings: current, at: null, all: late.length };
  return { readings: late, at: late.length === 0 ? null : Math.max(...late.map(time)), all: late.length };
}

// The sum of what is known, null where nothing is.
function sum({ readings }, field) {
  const values = readings.map((reading) => reading[field]).filter(given);
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0);
}

// How full all batteries are together: a large one counts for more.
function charge({ readings }) {
  const batteries = readings.filter(({ state_of_charge_pct: full }) => given(full));
  if (batteries.length === 0) return null;
  const weight = batteries.every(({ energy_capacity_wh: wh }) => wh > 0) ? ({ energy_capacity_wh: wh }) => wh : () => 1;
  const total = batteries.reduce((all, battery) => all + weight(battery), 0);
  return batteries.reduce((all, battery) => all + weight(battery) * battery.state_of_charge_pct, 0) / total;
}

// `at` is when it was so, in milliseconds, where it is not so now.
function tile(label, [amount, unit], note, at, full) {
  const holder = make('div', undefined, at === null ? '' : 'old');
  const value = make('b', `${amount} `);
  value.append(make('i', unit));
  holder.append(make('span', label, 'label'), value);
  if (given(full)) {
    const bar = make('meter');
    bar.max = 100;
    bar.value = Math.round(full);
    bar.setAttribute('aria-label', `${label}: ${percent(full)} full`);
    holder.append(bar);
  }
  const notes = [at === null ? '' : `at ${when(new Date(at))}`, note].filter((text) => text);
  if (notes.length > 0) holder.append(make('small', notes.join(', ')));
  return holder;
}

// A few watts are what stands by.
const RESTING_W = 5;

function grid(today) {
  const net = known('net');
  const watts = sum(net, 'power_w');
  if (watts === null) return null;
  const label = watts < 0 ? 'To the grid' : 'From the grid';
  const parts = [];
  if (today && today.imported_wh !== undefined) parts.push(`${energy(today.imported_wh)} in`);
  if (today && today.exported_wh !== undefined) parts.push(`${energy(today.exported_wh)} out`);
  return tile(label, powerParts(Math.abs(watts)), parts.length === 0 ? '' : `${parts.join(', ')} today`, net.at);
}

function battery() {
  const batteries = known('battery');
  const full = charge(batteries);
  const watts = sum(batteries, 'power_w');
  if (full === null && watts === null) return null;
  const count = batteries.readings.length;
  const all = count === batteries.all ? `${count}` : `${count} of ${batteries.all}`;
  const label = batteries.all === 1 ? 'Battery' : `${all} batteries`;
  const word = watts === null ? '' : Math.abs(watts) < RESTING_W ? 'at rest' : watts < 0 ? 'charging' : 'giving';
  if (full === null) return tile(label, powerParts(Math.abs(watts)), word, batteries.at);
  const note = watts === null || Math.abs(watts) < RESTING_W ? word : `${word} ${power(Math.abs(watts))}`;
  return tile(label, percent(full).split('\u00a0'), note, batteries.at, full);
}

// What the house uses, of powers of one moment: what is made and comes from the grid, and what batteries give. Where that
// is not measured it is what the gateway calls consumption, for which a battery that charges is a consumer, and one that
// gives takes from consumption. Null where neither is known. `batteries` is 0 where there are none.
function usedWatts(made, net, consumption, batteries) {
  const metered = given(made) && given(net) ? made + net : consumption;
  return given(metered) && given(batteries) ? metered + batteries : null;
}

// The sum of powers, null where one is unknown.
const whole = (readings) => (readings.every(({ power_w: watts }) => given(watts)) ? sum({ readings }, 'power_w') : null);

// What is used now, or was last, when all that it is the sum of is of one moment: each battery, too, that was measured
// lately. The meters answer together; consumption may be asked for less often, so that it counts where it is newer.
function used(today) {
  const [made, net, consumption, batteries] = ['production', 'net', 'consumption', 'battery'].map(lately);
  const newest = (readings) => Math.max(0, ...readings.map(time));
  const isMetered = made.length > 0 && net.length > 0 && newest(net) >= newest(consumption);
  const parts = { battery: batteries, ...(isMetered ? { production: made, net } : { consumption }) };
  const times = Object.values(parts).flat().map(time);
  if (times.length === batteries.length) return null;
  const stored = batteries.length === 0 ? 0 : whole(batteries);
  const watts = isMetered ? usedWatts(whole(made), whole(net), null, stored) : usedWatts(null, null, whole(consumption), stored);
  const isOne = watts !== null && Math.max(...times) - Math.min(...times) <= TOGETHER;
  const isNow = Object.entries(parts).every(([kind, readings]) => readings.every((reading) => isCurrent(kind, reading)));
  const included = batteries.length === 0 ? '' : ', batteries included';
  const note = today && today.consumed_wh !== undefined ? `${energy(today.consumed_wh)} today${included}` : '';
  return tile('In use', isOne ? powerParts(watts) : ['–', 'W'], note, isNow || !isOne ? null : Math.min(...times));
}

// What was used in each span, out of the powers that the API has; nothing where it has too few.
export function usedSeries({ production_w: made, net_w: net, consumption_w: consumption, battery_w: batteries }) {
  const longest = (made && net) || consumption;
  if (!longest) return null;
  const of = (powers, i) => (powers ? powers[i] : null);
  return longest.map((_, i) => usedWatts(of(made, i), of(net, i), of(consumption, i), batteries ? batteries[i] : 0));
}

// Fills the holder, which is hidden where nothing is measured; `today` has what was counted, where it was.
export function show(holder, today) {
  const production = known('production');
  const made = sum(production, 'power_w');
  const tiles = [
    used(today),
    grid(today),
    battery(),
    made === null ? null : tile('Solar meter', powerParts(made), production.at === null ? 'at this moment' : '', production.at),
  ].filter((one) => one !== null);
  holder.hidden = tiles.length === 0;
  holder.querySelector('.tiles').replaceChildren(...tiles);
}

// The inverters beside one another, and one of them in detail.
import { clock, day, energy, make, percent, power, when, whole } from '/words.js';

// A sibling that makes less than this share of the others, in percent, stands out.
const WEAK_PCT = 70;

const known = (value) => value !== null && value !== undefined;

// Good, weak, silent, asleep, or unknown: one word, which is also the class of its tile.
function condition(inverter) {
  if (inverter.state === 'silent') return 'silent';
  if (inverter.state === 'asleep') return 'asleep';
  if (!inverter.reporting) return 'away';
  return known(inverter.relative_output_pct) && inverter.relative_output_pct < WEAK_PCT ? 'weak' : 'well';
}

const WORDS = { silent: 'silent', asleep: 'asleep', away: 'no report' };

function tile(id, serial, choose) {
  const item = make('li');
  const button = make('button');
  button.id = id;
  button.type = 'button';
  const bar = make('meter');
  bar.min = 0;
  bar.max = 100;
  button.append(make('b'), make('small'), bar, make('small'));
  button.addEventListener('click', () => choose(serial));
  item.append(button);
  return item;
}

// What stands below the name: a share that is far from that of the siblings, else when it reported last where it does
// not report now.
function note(inverter, is) {
  if (is === 'weak') return `${percent(inverter.relative_output_pct)} of its siblings`;
  if (is === 'silent' || is === 'away') return `since ${since(inverter.reported_at)}`;
  return '';
}

// The time of today, or the day.
function since(text) {
  const at = new Date(text);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : day.format(at);
}

// Fills the list in this order; `choose` hears the serial number of one. The bar is the power beside that of the best
// of the same array.
export function tiles(list, all, chosen, choose) {
  const best = new Map();
  for (const { reporting, array, power_w: watts } of all) {
    if (reporting) best.set(array, Math.max(1, watts, best.get(array) || 0));
  }
  const ids = all.map((inverter) => `inverter-${inverter.envoy}-${inverter.serial}`);
  if (String(ids) !== String([...list.children].map((item) => item.firstChild.id))) {
    list.replaceChildren(...all.map((inverter, i) => {
      const there = document.getElementById(ids[i]);
      return there ? there.parentNode : tile(ids[i], inverter.serial, choose);
    }));
  }
  all.forEach((inverter, i) => {
    const button = list.children[i].firstChild;
    const [amount, name, bar, more] = button.children;
    const is = condition(inverter);
    amount.textContent = WORDS[is] || power(inverter.power_w);
    name.textContent = inverter.name || `…${inverter.serial.slice(-5)}`;
    button.className = is;
    const share = inverter.reporting ? Math.min(1, Math.max(0, inverter.power_w / best.get(inverter.array))) : 0;
    bar.value = Math.round(share * 100);
    // Within a button it is the value that is read out.
    for (const name of ['aria-label', 'aria-valuetext']) bar.setAttribute(name, `${percent(share * 100)} of the best`);
    more.textContent = note(inverter, is);
    button.setAttribute('aria-pressed', String(chosen === inverter.serial));
  });
}

// One inverter in words: its newest report, its day and month.
export function detailed(title, list, inverter, today, month) {
  title.textContent = inverter.name || `Inverter ${inverter.serial}`;
  const rows = [['Last report', `${power(inverter.power_w)} at ${when(new Date(inverter.reported_at))}`]];
  if (inverter.state) rows.push(['State', inverter.state]);
  rows.push(['Today', `${energy(today.energy_wh)}${today.highest_w === undefined ? '' : `, up to ${power(today.highest_w)}`}`]);
  rows.push(['This month', energy(month.energy_wh)]);
  rows.push(['Highest on record', power(inverter.peak_power_w)]);
  if (known(inverter.relative_output_pct)) rows.push(['Beside its siblings', percent(inverter.relative_output_pct)]);
  rows.push(['Reports missed', today.missed === 0 ? 'none today' : `${whole.format(today.missed)} of ${whole.format(today.reports + today.missed)} today`]);
  if (inverter.array) rows.push(['Array', inverter.array]);
  if (inverter.name) rows.push(['Serial number', inverter.serial]);
  list.replaceChildren(...rows.flatMap(([name, value]) => [make('dt', name), make('dd', value)]));
}

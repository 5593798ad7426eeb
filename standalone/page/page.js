// The page: asks the JSON API for all numbers, and hears each reading as the broker's topics have it.
// What comes from outside is only ever set as text.
import { bars } from '/bars.js';
import { STEP, draw, placed } from '/chart.js';
import { chain } from '/chain.js';
import { FLOWS, compared, drawDay, flowsOf, highest, sofar } from '/day.js';
import { listen } from '/events.js';
import { detailed, tiles } from '/inverters.js';
import * as home from '/home.js';
import { AHEAD, envoyNow, remark, situation } from '/notice.js';
import { clock, energyParts, make, powerParts, sentence, when, whole } from '/words.js';

const at = (id) => document.getElementById(id);
const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

const state = {
  inverters: new Map(), chosen: null, chain: null, now: null, plot: null, detail: null, today: null,
  length: 'days', of: 'energy_wh', flows: new Set(), streams: false, lost: null,
};

// An answer that takes longer, in milliseconds, does not come any more.
const PATIENCE = 30000;

async function ask(path) {
  const answer = await fetch(`/api/v1/${path}`, { signal: AbortSignal.timeout(PATIENCE) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || `the program answered ${answer.status}`);
  return body;
}

const series = (path, { from, until }) => ask(`${path}?from=${from}&until=${until}&step=${STEP}`);

function notice(text) {
  at('notice').textContent = text || '';
  at('notice').hidden = !text;
}

function showNow() {
  const is = situation(state, state.lost);
  const none = is.all.length === 0;
  const [amount, unit] = none ? ['–', 'W'] : powerParts(is.watts);
  at('power').textContent = amount;
  at('power-unit').textContent = unit;
  at('now-label').textContent = is.at && !none ? `At ${when(is.at)}` : 'Now';
  at('power').closest('div').classList.toggle('old', Boolean(is.at) && !none);
  at('reporting').textContent = none ? '–' : whole.format(is.reporting.length);
  at('total').textContent = none ? '' : `of ${is.all.length} inverters`;
  const title = state.lost ? 'Connection lost – ' : none ? '' : `${amount} ${unit} – `;
  document.title = `${title}envoy-scrape`;
  tiles(at('grid'), is.all, state.chosen, choose);
  at('grid-hint').textContent = none ? 'None is known yet.' : 'The fuller the bar, the closer to the best of them. Choose one for its day.';
  home.judge(is.gateway, state.lost === null);
  home.show(at('home'), state.today);
  if (state.now) notice(remark(is));
}

// The time by the Envoy's clock, in milliseconds.
const now = () => envoyNow(state.chain && state.chain.gateway);

async function showDays() {
  const { days } = await ask(`days?days=14&zone=${zone}`);
  const today = days[days.length - 1];
  const others = compared(days);
  state.today = today;
  [at('today').textContent, at('today-unit').textContent] = energyParts(today.energy_wh);
  home.show(at('home'), today);
  const past = (one) => (one ? series('site', one) : null);
  const [power, before, top, powers] = await Promise.all([series('site', today), past(others.yesterday), past(others.best), series('flows', today)]);
  const values = sofar(power, [...state.inverters.values()], now() / 1000);
  const peak = highest(values);
  [at('peak').textContent, at('peak-unit').textContent] = peak === null ? ['–', 'W'] : powerParts(peak);
  at('chart-empty').hidden = peak !== null;
  at('chart').hidden = peak === null && !others.best;
  const flows = flowsOf(powers);
  offerFlows(flows);
  if (!at('chart').hidden) state.plot = drawDay(at('chart'), { today, values, days: others, before, top, flows, chosen: state.flows }, state.plot);
  await showPeriods(days);
  if (state.chosen) await showDetail();
}

// A button for each that is measured; what was chosen stays so.
function offerFlows(flows) {
  const known = Object.keys(FLOWS).filter((key) => flows[key]);
  at('flows').hidden = known.length === 0;
  const shown = [...at('flows').children].map((button) => button.dataset.flow);
  if (String(shown) === String(known)) return;
  at('flows').replaceChildren(...known.map((key) => {
    const button = make('button', FLOWS[key].label);
    button.type = 'button';
    button.dataset.flow = key;
    button.setAttribute('aria-pressed', String(state.flows.has(key)));
    button.addEventListener('click', () => {
      if (!state.flows.delete(key)) state.flows.add(key);
      button.setAttribute('aria-pressed', String(state.flows.has(key)));
      attempt(showDays);
    });
    return button;
  }));
}

// `days` where they are known already.
async function showPeriods(days) {
  const { length } = state;
  const periods = length === 'days' && days ? days : (await ask(`${length}?zone=${zone}`))[length];
  // Another length may have been chosen in the meantime.
  if (length !== state.length) return;
  const known = (button) => button.dataset.of === 'energy_wh' || periods.some((period) => period[button.dataset.of] !== undefined);
  const buttons = [...at('quantities').children];
  for (const button of buttons) button.hidden = !known(button);
  at('quantities').hidden = buttons.filter(known).length < 2;
  bars(at('days'), periods, state.of);
}

// Buttons of which one is pressed.
function choice(id, name, chosen) {
  for (const button of at(id).children) {
    button.addEventListener('click', () => {
      state[name] = button.dataset[name];
      for (const one of at(id).children) one.setAttribute('aria-pressed', String(one === button));
      attempt(chosen);
    });
  }
}

async function choose(serial) {
  state.chosen = state.chosen === serial ? null : serial;
  at('detail').hidden = !state.chosen;
  showNow();
  if (!state.chosen) return;
  await attempt(showDetail);
  at('detail-title').focus({ preventScroll: false });
}

async function showDetail() {
  const inverter = [...state.inverters.values()].find((one) => one.serial === state.chosen);
  if (!inverter || !state.today) return;
  const name = encodeURIComponent(inverter.serial);
  const [day, { days }, { months }] = await Promise.all([
    series(`inverters/${name}`, state.today),
    ask(`days?inverter=${name}&zone=${zone}`),
    ask(`months?months=1&inverter=${name}&zone=${zone}`),
  ]);
  if (inverter.serial !== state.chosen) return;
  detailed(at('detail-title'), at('detail-text'), inverter, days[days.length - 1], months[0]);
  bars(at('detail-days'), days);
  const lines = [{ label: 'Today', name: '--sun', fill: true, values: placed(sofar(day, [inverter], now() / 1000), day.from) }];
  state.detail = draw(at('detail-chart'), lines, state.detail);
}

// Whether a report is newer than this one. One that is dated ahead of the Envoy's clock is newer than none.
function isNewer(known, inverter) {
  const at = Date.parse(known.reported_at);
  return at > Date.parse(inverter.reported_at) && at <= now() + AHEAD;
}

// What was heard while the answer was under way is newer than it: a reading is published before it is stored.
function newer(inverter) {
  const known = state.inverters.get(nameOf(inverter));
  if (!known || !isNewer(known, inverter)) return inverter;
  const { reported_at, power_w, peak_power_w, reporting } = known;
  return { ...inverter, reported_at, power_w, peak_power_w, reporting };
}

const nameOf = (inverter) => `${inverter.envoy}/${inverter.serial}`;

async function look() {
  state.now = await ask('now');
  state.lost = null;
  showLink();
  state.chain = state.now.chain;
  home.judge(state.chain.gateway, true);
  state.inverters = new Map(state.now.inverters.map((inverter) => [nameOf(inverter), newer(inverter)]));
  home.take(state.now.measured);
  showNow();
  chain(at('chain'), state.chain, state.now);
  await showDays();
}

// One look at a time, and one more if something happened meanwhile.
let looking = null;
let again = false;
async function refresh() {
  if (looking) {
    again = true;
    return looking;
  }
  let failure;
  do {
    again = false;
    looking = look();
    failure = await looking.then(() => null, (error) => error);
  } while (again);
  looking = null;
  if (!failure) return undefined;
  // While it streams there is a connection, whatever else is wrong.
  if (!state.streams) lose();
  throw failure;
}

async function attempt(what) {
  try {
    await what();
  } catch (error) {
    notice(`The numbers are not to be had now: ${sentence(error.message, false)}`);
  }
}

function showLink() {
  const [kind, text] = state.lost ? ['lost', `connection lost at ${clock.format(state.lost)}, trying again`]
    : state.streams ? ['live', 'live'] : ['', 'no live updates, looks again each minute'];
  at('link').className = kind;
  at('link').textContent = text;
}

function lose() {
  state.lost ||= new Date();
  showLink();
  showNow();
}

// A report that is older than this, in milliseconds, says nothing of now.
const OLD = 2 * 3600 * 1000;

function heard(reading) {
  const known = state.inverters.get(nameOf(reading));
  const at = Date.parse(reading.reported_at);
  if (known && isNewer(known, reading)) return;
  const reporting = now() - at < OLD;
  state.inverters.set(nameOf(reading), { ...known, ...reading, reporting, state: known && known.state && reporting ? 'reporting' : (known && known.state) || null });
  showNow();
}

// The readings of one answer of the meters come one after the other: all of them are shown at once.
let measuring;
function measured(kind, reading) {
  home.hear(kind, reading);
  clearTimeout(measuring);
  measuring = setTimeout(() => home.show(at('home'), state.today), 100);
}

const handlers = {
  reading: heard,
  health: () => attempt(refresh),
  chain: (heard) => {
    state.chain = heard;
    showNow();
    chain(at('chain'), state.chain, state.now);
  },
};
for (const kind of ['production', 'consumption', 'net', 'battery']) handlers[kind] = (reading) => measured(kind, reading);

// What becomes of the stream. Whether there is a connection without it the numbers tell.
function told(what) {
  state.streams = what === 'open';
  if (what === 'closed') return;
  if (state.streams) {
    state.lost = null;
    showLink();
  }
  attempt(refresh);
}

let resized;
const redraw = () => {
  clearTimeout(resized);
  resized = setTimeout(() => attempt(showDays), 200);
};
window.addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
choice('lengths', 'length', showPeriods);
choice('quantities', 'of', showPeriods);
listen(handlers, told);
// Whether there is a stream or none, and whether anybody looks yet: the title says the power, too.
attempt(refresh);
// What no message tells: energy, charts, who has fallen silent.
setInterval(() => attempt(refresh), 60000);

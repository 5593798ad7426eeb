// Numbers with their units, and times, in the viewer's language.

const number = (digits) => new Intl.NumberFormat(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const one = number(1);
const two = number(2);

export const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
export const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
export const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
export const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
export const month = new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric' });

// The time of today, or the day with the time.
export function when(date) {
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : moment.format(date);
}

// A number is never parted from its unit.
const joined = ([amount, unit]) => `${amount}\u00a0${unit}`;

// From 10 kW on a watt more or less says nothing. Rounded first: no "-0 W".
export function powerParts(watts) {
  const rounded = Math.round(watts) || 0;
  return Math.abs(rounded) >= 10000 ? [two.format(rounded / 1000), 'kW'] : [whole.format(rounded), 'W'];
}

// From 10 MWh on a kilowatt-hour more or less says nothing.
export function energyParts(wattHours) {
  return Math.abs(wattHours) >= 1e7 ? [two.format(wattHours / 1e6), 'MWh'] : [one.format(wattHours / 1000), 'kWh'];
}

export const power = (watts) => joined(powerParts(watts));
export const energy = (wattHours) => joined(energyParts(wattHours));
export const percent = (share) => joined([whole.format(share), '%']);

// What the program says in words, as a sentence.
export function sentence(text, begins = true) {
  const first = begins ? text.slice(0, 1).toUpperCase() : text.slice(0, 1);
  return first + text.slice(1) + (/[.!?…]$/.test(text) || text === '' ? '' : '.');
}

// An element with this text, which is never taken for markup.
export function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

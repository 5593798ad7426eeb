// Days, months and years as bars, the newest first.
import { day, energy, make, month, whole } from '/words.js';

// What a period is called; the one that is not over is the newest.
function name(period, current) {
  const middle = new Date((period.from + period.until) * 500);
  if (period.date) return current ? 'Today' : day.format(middle);
  if (period.month) return month.format(middle);
  return period.year;
}

const missing = (missed) => (missed === 1 ? '1 report missed' : `${whole.format(missed)} reports missed`);

// Fills the list with what `key` says of each period. Periods of which nothing is known, or nothing came, are left
// out, but for the current one: before the first reading there was none, and a day without sun has no bar either.
export function bars(list, periods, key = 'energy_wh') {
  const most = Math.max(1, ...periods.map((period) => period[key] || 0));
  const current = periods[periods.length - 1];
  const items = periods.slice().reverse().filter((period) => period[key] || period === current);
  list.dataset.of = key;
  list.dataset.length = current.date ? 'days' : current.month ? 'months' : 'years';
  list.replaceChildren(...items.map((period) => {
    const label = name(period, period === current);
    const item = document.createElement('li');
    const bar = document.createElement('meter');
    bar.max = most;
    bar.value = Math.max(0, period[key] || 0);
    const amount = period[key] === undefined ? '–' : energy(period[key]);
    bar.setAttribute('aria-label', label);
    bar.setAttribute('aria-valuetext', amount);
    item.append(make('span', label), bar, make('b', amount));
    if (key === 'energy_wh' && period.missed > 0) item.append(make('small', missing(period.missed)));
    return item;
  }));
}

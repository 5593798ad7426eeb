// Curves of a day, drawn by uPlot, with a legend that says the values under the pointer.
import { make, power } from '/words.js';

// Seconds of one value.
export const STEP = 600;
const DAY = 86400;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const time = (seconds) => `${String(Math.floor(seconds / 3600)).padStart(2, '0')}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}`;

// Values from a moment on at their place in a day, by the clock on the wall: on the two days of the year on which it is
// changed an hour is left out, or there twice. What is to come is unknown.
export function placed(values, from) {
  const day = new Array(DAY / STEP).fill(null);
  values.forEach((value, i) => {
    const at = new Date((from + i * STEP) * 1000);
    day[Math.floor((at.getHours() * 3600 + at.getMinutes() * 60) / STEP)] = value;
  });
  return day;
}

function legend(lines) {
  const list = make('ul', undefined, 'legend');
  const values = lines.map(({ label, name, dash }) => {
    const item = make('li');
    const swatch = make('span', undefined, dash ? 'swatch dashed' : 'swatch');
    swatch.style.borderColor = colour(name);
    const value = make('b');
    item.append(swatch, make('span', label), value);
    list.append(item);
    return value;
  });
  return { list, values };
}

// Draws lines of a day into the holder, in place of what is there. Midnight is at the left, so that days lie on each
// other. Each line has a label, the name of a colour, values of STEP seconds, and perhaps a dash or an area below.
export function draw(holder, lines, before) {
  if (before) before.destroy();
  const width = holder.clientWidth;
  const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  const { list, values } = legend(lines);
  const point = (plot) => {
    const { idx } = plot.cursor;
    lines.forEach((line, i) => {
      const value = idx === null || idx === undefined ? null : line.values[idx];
      values[i].textContent = value === null || value === undefined ? '' : power(value);
    });
    list.dataset.time = idx === null || idx === undefined ? '' : time(idx * STEP);
  };
  const plot = new uPlot({
    width,
    height: Math.max(200, Math.min(300, width * 0.5)),
    padding: [12, 24, 0, 0],
    scales: { x: { time: false, range: [0, DAY] }, y: { range: (_, low, high) => [Math.min(0, low * 1.08), Math.max(100, high * 1.08)] } },
    axes: [
      { ...axis, size: 34, gap: 8, values: (_, splits) => splits.map(time), incrs: width < 500 ? [21600] : [10800] },
      { ...axis, size: 62, values: (_, splits) => splits.map(power) },
    ],
    cursor: { y: false, points: { size: 7 } },
    legend: { show: false },
    hooks: { setCursor: [point] },
    series: [{}, ...lines.map(({ name, fill, dash }) => ({
      dash, stroke: colour(name), width: fill ? 2.5 : 1.75, fill: fill && colour('--area'), points: { show: false },
    }))],
  }, [Array.from({ length: DAY / STEP }, (_, i) => i * STEP + STEP / 2), ...lines.map((line) => line.values)], holder);
  plot.root.append(list);
  return plot;
}

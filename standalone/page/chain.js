// The state of each part between the Envoy and the store.
import { make, moment, whole } from '/words.js';

const time = (text) => (text ? moment.format(new Date(text)) : 'not yet');

// Fills the list; `now` is the API's answer, where there was one.
export function chain(list, state, now) {
  const gateway = state && state.gateway;
  const rows = [
    ['Envoy', gateway && gateway.firmware ? `${gateway.envoy}, firmware ${gateway.firmware}, at ${gateway.address}` : 'not read yet'],
    ['Last answer', time(gateway && gateway.last_poll_at)],
    ['Last report', time(now && now.last_report_at)],
  ];
  if (gateway && gateway.reports_overwritten > 0) rows.push(['Not seen', `about ${whole.format(gateway.reports_overwritten)} reports, which the Envoy overwrote before it was asked`]);
  if (gateway && gateway.token_expires_at) rows.push(['Token until', time(gateway.token_expires_at)]);
  rows.push(['Scraper', (state && state.scraper) || 'not connected yet']);
  rows.push(['Broker', state && state.broker ? 'connected' : 'not connected']);
  if (state && state.waiting !== null && state.waiting !== undefined) rows.push(['Readings waiting', state.waiting === 0 ? 'none' : whole.format(state.waiting)]);
  rows.push(['Store', (state && state.receiver) || 'not connected yet']);
  for (const [name, status] of Object.entries((state && state.other_receivers) || {})) rows.push([`Receiver ${name}`, status]);
  if (now && now.status) rows.push(['In words', now.status]);
  if (now) rows.push(['Version', now.version]);
  list.replaceChildren(...rows.flatMap(([name, value]) => [make('dt', name), make('dd', value)]));
}

// What happens, as the program tells it, for as long as the page is looked at: a browser has six connections to a host
// for all its tabs, and a stream takes one of them. Who looks again sees all numbers anew.

// When a stream that was refused is asked for again, in milliseconds: the browser does not do that by itself.
const AGAIN = 30000;

// `handlers` has a function for each kind of event. `told` hears that the stream is `open`, that it `broke` off or was
// refused, or that it is `closed` since nobody looks.
export function listen(handlers, told) {
  let events = null;
  let again;
  const open = () => {
    events = new EventSource('/api/v1/events');
    events.addEventListener('open', () => told('open'));
    events.addEventListener('error', () => {
      told('broke');
      if (!events || events.readyState !== EventSource.CLOSED) return;
      clearTimeout(again);
      again = setTimeout(open, AGAIN);
    });
    for (const [kind, act] of Object.entries(handlers)) events.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  };
  const close = () => {
    clearTimeout(again);
    if (events) events.close();
    events = null;
    told('closed');
  };
  const look = () => {
    if (document.hidden) close();
    else if (!events) open();
  };
  document.addEventListener('visibilitychange', look);
  look();
}

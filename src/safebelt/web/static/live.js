// Live rows: reads a web.live stream, replaces what has the same id, puts the new on top, can be paused,
// and tells screen readers now and then rather than at every row.
const ANNOUNCE_EVERY_MS = 10000;

export function followAll(root) {
  for (const place of root.querySelectorAll("[data-live]")) follow(place);
}

function parse(html, place) {
  const holder = document.createElement("template");
  // A row can only be parsed inside a table, which <template> allows.
  holder.innerHTML = html.trim();
  const element = holder.content.firstElementChild;
  return element && place.ownerDocument.adoptNode(element);
}

function follow(place) {
  const controls = document.querySelector(`[data-live-controls="${place.id}"]`);
  const state = controls?.querySelector("[data-live-state]");
  const button = controls?.querySelector("[data-live-pause]");
  const max = Number(place.dataset.liveMax || 50);
  const waiting = [];
  let paused = false;
  let unsaid = 0;

  const show = (word) => {
    if (!controls) return;
    controls.dataset.state = word;
    state.textContent = state.dataset[word];
  };
  const put = (html) => {
    const fresh = parse(html, place);
    if (!fresh) return;
    const old = fresh.id && document.getElementById(fresh.id);
    if (old) {
      old.replaceWith(fresh);
    } else {
      place.prepend(fresh);
      fresh.classList.add("sb-new");
      unsaid += 1;
      document.querySelector(`[data-live-empty="${place.id}"]`)?.setAttribute("hidden", "");
    }
    while (place.childElementCount > max) place.lastElementChild.remove();
    window.htmx?.process?.(fresh);
  };

  const source = new EventSource(place.dataset.live);
  for (const kind of ["row", "text"]) {
    source.addEventListener(kind, (event) => {
      if (paused) {
        waiting.push(event.data);
        if (waiting.length > max) waiting.shift();
      } else put(event.data);
    });
  }
  source.addEventListener("open", () => show(paused ? "off" : "on"));
  source.addEventListener("error", () => show("lost"));
  window.addEventListener("pagehide", () => source.close());

  if (controls) controls.hidden = false;
  button?.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
    show(paused ? "off" : "on");
    if (!paused) waiting.splice(0).forEach(put);
  });

  setInterval(() => {
    if (!unsaid || paused) return;
    const announcer = document.getElementById("sb-announcer");
    if (announcer && place.dataset.liveSaid) announcer.textContent = place.dataset.liveSaid.replace("#", unsaid);
    unsaid = 0;
  }, ANNOUNCE_EVERY_MS);
}

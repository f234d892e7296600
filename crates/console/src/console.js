"use strict";
(() => {
  const live = document.querySelector("main[data-live]");
  const offline = document.getElementById("offline");
  const offlineSince = document.getElementById("offline-since");
  const everyMs = 2000, giveUpMs = 8000, warnAfterMs = 10000;
  let last = Date.now(), busy = false, pressed = false;

  const localTime = (root) => {
    for (const it of root.querySelectorAll("time[data-clock]")) {
      const at = new Date(it.dateTime);
      it.textContent = it.dataset.clock === "date"
        ? at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" })
        : at.toLocaleTimeString(undefined, { hourCycle: "h23" });
    }
  };
  const keyOf = (it) => it.nodeType === 1 ? it.dataset.key : undefined;
  /* Changes only what differs, so that focus, selection and open details stay. */
  const become = (was, is) => {
    if (was.nodeType !== is.nodeType || was.nodeName !== is.nodeName || keyOf(was) !== keyOf(is)) {
      was.replaceWith(is);
      return;
    }
    if (was.nodeType !== 1) {
      if (was.data !== is.data) was.data = is.data;
      return;
    }
    for (const { name, value } of is.attributes) {
      if (was.getAttribute(name) !== value) was.setAttribute(name, value);
    }
    for (const { name } of [...was.attributes]) {
      if (!is.hasAttribute(name) && name !== "open") was.removeAttribute(name);
    }
    const keyed = new Map();
    for (const it of was.childNodes) if (keyOf(it)) keyed.set(keyOf(it), it);
    let at = was.firstChild;
    for (const next of [...is.childNodes]) {
      const kept = keyOf(next) && keyed.get(keyOf(next));
      if (kept && kept !== at) was.insertBefore(kept, at);
      const here = kept || at;
      if (!here || (!kept && keyOf(here))) { was.insertBefore(next, at); continue; }
      at = here.nextSibling;
      become(here, next);
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  };
  const beat = async () => {
    if (busy || pressed || document.hidden) return;
    busy = true;
    try {
      const url = new URL(location.href);
      url.searchParams.set("fragment", "1");
      const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(giveUpMs) });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.status);
      const fresh = live.cloneNode(false);
      fresh.innerHTML = await answer.text();
      localTime(fresh);
      become(live, fresh);
      last = Date.now();
      const title = answer.headers.get("x-title");
      if (title) document.title = decodeURIComponent(title);
      for (const it of document.querySelectorAll("header .clock time")) {
        it.textContent = new Date().toLocaleTimeString(undefined, { hourCycle: "h23" });
      }
    } catch { /* the warning below says it */ } finally { busy = false; }
    const isOld = Date.now() - last > warnAfterMs;
    if (offline.hidden === isOld) {
      offlineSince.textContent = new Date(last).toLocaleTimeString(undefined, { hourCycle: "h23" });
      offline.hidden = !isOld;
      live.classList.toggle("is-old", isOld);
    }
  };
  localTime(document);
  addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { pressed = false; });
  document.addEventListener("visibilitychange", beat);
  setInterval(beat, everyMs);
})();

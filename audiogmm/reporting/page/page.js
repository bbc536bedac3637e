"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const root = document.documentElement;

  // --- light and dark: what the system says, until the reader says otherwise
  const theme = at("theme");
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value === undefined) return window.localStorage.getItem("audiogmm-theme");
      window.localStorage.setItem("audiogmm-theme", value);
    } catch (error) { /* a page from a file may have no storage */ }
    return null;
  };
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  const before = remembered();
  if (before === "dark" || before === "light") root.dataset.theme = before;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    label();
  });
  systemDark.addEventListener("change", label);
  label();

  // --- one player for all sounds
  const audio = new Audio();
  audio.id = "audio";
  audio.preload = "auto";
  const player = at("player");
  player.append(audio);
  const [what, place, time, said] = ["what", "place", "time", "said"].map((name) => at(`player-${name}`));
  const playButton = at("player-play");
  let current = null; // the anchor of the sound that is loaded
  let address = null; // of its bytes

  const sources = (sound) => document.querySelectorAll(`[data-sound="${CSS.escape(sound)}"]`);
  const icon = (button, name) => button.querySelector("use").setAttribute("href", `#i-${name}`);

  const mark = () => {
    const playing = !audio.paused;
    icon(playButton, playing ? "pause" : "play");
    for (const button of document.querySelectorAll(".play[aria-pressed='true']")) {
      button.setAttribute("aria-pressed", "false");
      icon(button, "play");
    }
    for (const old of document.querySelectorAll(".current")) old.classList.remove("current");
    if (current === null) return;
    for (const source of sources(current)) {
      if (source.matches(".shade")) source.classList.add("current");
      else {
        source.setAttribute("aria-pressed", String(playing));
        icon(source, playing ? "pause" : "play");
        const row = source.closest(".event");
        if (row) row.classList.add("current");
      }
    }
  };

  const follow = () => {
    const seconds = audio.duration || 0;
    place.value = seconds ? Math.round(1000 * audio.currentTime / seconds) : 0;
    time.textContent = seconds ? `${audio.currentTime.toFixed(1)} / ${seconds.toFixed(1)} s` : "";
    if (current !== null) {
      const data = at(current).dataset;
      const stretch = [...sources(current)].map((source) => source.dataset.stretch).find(Boolean);
      const plot = stretch && at(stretch);
      if (plot) {
        const [start, end] = [Number(plot.dataset.start), Number(plot.dataset.end)];
        const share = (Number(data.start) + audio.currentTime - start) / (end - start);
        const x = `${(100 * Math.min(1.01, Math.max(-.01, share))).toFixed(2)}%`;
        const cursor = plot.querySelector(".cursor");
        cursor.setAttribute("x1", x);
        cursor.setAttribute("x2", x);
      }
    }
    if (!audio.paused) window.requestAnimationFrame(follow);
  };

  const load = (source) => {
    const element = at(source.dataset.sound);
    const text = window.atob(element.textContent);
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(new Blob([bytes], { type: "audio/mpeg" }));
    for (const cursor of document.querySelectorAll(".cursor")) {
      cursor.setAttribute("x1", "-1%");
      cursor.setAttribute("x2", "-1%");
    }
    current = source.dataset.sound;
    audio.src = address;
    what.textContent = source.dataset.what;
    const stretch = [...sources(current)].map((other) => other.dataset.stretch).find(Boolean);
    const target = stretch || source.dataset.row || (source.closest("[id]") || {}).id || "events";
    what.setAttribute("href", `#${target}`);
    player.hidden = false;
    document.body.classList.add("playing");
  };

  const start = () => {
    const started = audio.play();
    if (started) started.then(() => { said.textContent = `Playing ${what.textContent}`; }).catch((error) => {
      if (error.name !== "AbortError") said.textContent = `This sound cannot be played: ${error.message}`;
    });
  };

  const toggle = (source) => {
    if (source.dataset.sound !== current) { load(source); start(); }
    else if (audio.paused) start();
    else audio.pause();
  };

  // --- going from event to event, in the order of the page: the worst first
  const ordered = () => {
    const seen = new Set();
    return [...document.querySelectorAll(".play")].filter((button) => {
      const fresh = !seen.has(button.dataset.sound);
      seen.add(button.dataset.sound);
      return fresh;
    });
  };
  const step = (by) => {
    const all = ordered();
    const here = all.findIndex((button) => button.dataset.sound === current);
    const next = all[(here + by + all.length) % all.length];
    if (next) { load(next); start(); }
  };

  const activate = (target) => {
    if (target.dataset.sound) toggle(target);
    else {
      const row = at(target.dataset.row);
      if (!row) return;
      const folded = row.closest("details");
      if (folded) folded.open = true;
      row.scrollIntoView({ block: "center" });
    }
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest(".play, .shade");
    if (target) activate(target);
  });
  document.addEventListener("keydown", (event) => {
    const target = event.target.closest(".shade");
    if (target && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      activate(target);
    }
  });
  playButton.addEventListener("click", () => { if (audio.paused) start(); else audio.pause(); });
  at("player-next").addEventListener("click", () => step(1));
  at("player-back").addEventListener("click", () => step(-1));
  at("player-close").addEventListener("click", () => {
    audio.pause();
    current = null;
    player.hidden = true;
    document.body.classList.remove("playing");
    mark();
  });
  place.addEventListener("input", () => {
    if (audio.duration) audio.currentTime = audio.duration * place.value / 1000;
    follow();
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, mark);
  for (const name of ["play", "seeked", "loadedmetadata"]) audio.addEventListener(name, follow);

  // --- paper shows what is folded away
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });
})();

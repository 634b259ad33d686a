"use strict";
// Players: one position for all signals of a recording. Tables: sorted by the heading that is chosen.
document.documentElement.classList.add("scripted");

class Player {
  constructor(root) {
    this.root = root;
    this.seconds = Number(root.dataset.seconds);
    this.play = root.querySelector(".play");
    this.seek = root.querySelector(".seek");
    this.time = root.querySelector(".time");
    this.repeat = root.querySelector(".repeat input");
    this.lanes = [...root.querySelectorAll(".lane")];
    this.radios = this.lanes.map((lane) => lane.querySelector("input"));
    this.sounds = this.lanes.map((lane) => lane.querySelector("audio"));
    this.heads = this.lanes.map((lane) => lane.querySelector(".head"));
    this.heard = Math.max(0, this.radios.findIndex((radio) => radio.checked));
    this.sounds.forEach((sound) => { sound.controls = false; });
    this.listen();
    this.show();
  }

  get sound() { return this.sounds[this.heard]; }
  get playing() { return !this.sound.paused; }

  listen() {
    this.play.addEventListener("click", () => this.toggle());
    this.seek.addEventListener("input", () => this.moveTo(Number(this.seek.value)));
    this.radios.forEach((radio, number) => radio.addEventListener("change", () => this.choose(number)));
    this.lanes.forEach((lane, number) => lane.querySelector(".wave").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      this.choose(number);
      this.moveTo((event.clientX - box.left) / box.width * this.seconds);
    }));
    this.sounds.forEach((sound) => {
      sound.addEventListener("ended", () => this.end(sound));
      for (const kind of ["play", "pause", "seeked", "loadedmetadata"]) sound.addEventListener(kind, () => this.show());
    });
    this.root.addEventListener("pointerdown", () => this.activate());
    this.root.addEventListener("focusin", () => this.activate());
  }

  activate() {
    players.forEach((one) => one.root.classList.toggle("active", one === this));
    active = this;
  }

  toggle() {
    if (this.playing) { this.sound.pause(); return; }
    players.forEach((one) => { if (one !== this) one.sound.pause(); });
    this.activate();
    this.start(this.sound);
  }

  start(sound) {
    const started = sound.play();
    if (started) started.catch(() => this.show());
    requestAnimationFrame(() => this.follow());
  }

  // The new signal starts where the old one is; the old one ends once the new one is heard.
  choose(number) {
    if (number === this.heard || !this.sounds[number]) return;
    const before = this.sound, after = this.sounds[number], playing = !before.paused;
    this.heard = number;
    this.radios[number].checked = true;
    after.currentTime = Math.min(before.currentTime, this.seconds);
    if (playing) {
      after.addEventListener("playing", () => before.pause(), { once: true });
      this.start(after);
    }
    this.show();
  }

  moveTo(seconds) {
    this.sound.currentTime = Math.min(Math.max(seconds, 0), this.seconds - 0.001);
    this.show();
  }

  end(sound) {
    if (sound !== this.sound || !this.repeat.checked) { this.show(); return; }
    sound.currentTime = 0;
    this.start(sound);
  }

  follow() {
    this.show();
    if (this.playing) requestAnimationFrame(() => this.follow());
  }

  show() {
    const now = Math.min(this.sound.currentTime, this.seconds);
    this.play.textContent = this.playing ? "❚❚" : "▶";
    this.play.setAttribute("aria-pressed", String(this.playing));
    this.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.seek.value = now;
    this.time.textContent = `${now.toFixed(1)} / ${this.seconds.toFixed(1)} s`;
    this.heads.forEach((head) => { head.style.left = `${100 * now / this.seconds}%`; });
    this.lanes.forEach((lane, number) => lane.classList.toggle("heard", number === this.heard));
  }
}

const players = [];
let active = null;
document.querySelectorAll(".player").forEach((root) => players.push(new Player(root)));
active = players[0] || null;

document.addEventListener("keydown", (event) => {
  if (!active || event.ctrlKey || event.metaKey || event.altKey) return;
  const on = event.target, own = on.closest && on.closest("button, summary, a, textarea");
  if (event.key === " " && !own) active.toggle();
  else if (/^[1-9]$/.test(event.key)) active.choose(Number(event.key) - 1);
  else if (event.key === "ArrowRight" && on.tagName !== "INPUT") active.moveTo(active.sound.currentTime + 1);
  else if (event.key === "ArrowLeft" && on.tagName !== "INPUT") active.moveTo(active.sound.currentTime - 1);
  else if (event.key === "l" || event.key === "L") active.repeat.checked = !active.repeat.checked;
  else return;
  event.preventDefault();
});

document.querySelectorAll("table.sortable").forEach((table) => {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value === undefined) return cell.textContent;
    return cell.dataset.value === "" ? Infinity : Number(cell.dataset.value);
  };
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((one) => one.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].sort((a, b) => {
      const x = value(a, column), y = value(b, column);
      const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return down ? -order : order;
    });
    body.append(...rows);
  }));
});

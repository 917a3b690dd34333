// A large view of one model or of the scene: turn, move and zoom; light, ground, wireframe, normals, turntable,
// background; the photo beside it. Mouse, keys and touch.

import { el, place, text } from "./dom.js";
import { PLAIN_LOOK, setLook, show, viewOf } from "./viewer.js";

const BACKGROUNDS = ["plain", "light", "dark"];
const LIGHTS = { studio: "Studio", overcast: "Overcast", side: "From the side" };
const SHOWN = { colours: "Colours", clay: "Shape", normals: "Normals" };
const TURN_PER_MS = 0.0006;

/** @param items [{title, url, key, photo}], of which number ``at`` is shown first */
export function openStage(items, at = 0) {
  const look = { ...PLAIN_LOOK, ground: true };
  const title = el("h2", {});
  const canvas = el("canvas", { class: "mm-model", tabindex: "0", role: "img", "data-stage": "" });
  const before = el("img", { alt: "", class: "mm-before" });
  const view = el("div", { class: "mm-stage-view", "data-background": "plain" }, canvas);
  const redraw = () => setLook(canvas, { ...look });
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  const toggle = (label, act, on = false) => {
    const button = el("button", { class: "mm-button", "aria-pressed": String(on), onclick: () => (press(button, button.getAttribute("aria-pressed") !== "true"), act(button.getAttribute("aria-pressed") === "true")) }, label);
    return button;
  };
  const choice = (label, choices, act) => {
    const select = el("select", { id: `mm-stage-${label.toLowerCase()}`, onchange: () => act(select.value) }, ...Object.entries(choices).map(([value, name]) => el("option", { value }, name)));
    return el("div", { class: "mm-stage-choice" }, el("label", { for: select.id }, label), select);
  };
  const wire = toggle("Wireframe", (on) => ((look.wire = on), redraw()));
  const ground = toggle("Ground", (on) => ((look.ground = on), redraw()), true);
  const photo = toggle("Photo", (on) => (before.hidden = !on), true);
  const turntable = toggle("Turntable", (on) => setTurning(on));
  const full = toggle("Full screen", (on) => (on ? dialog.requestFullscreen?.().catch(() => press(full, false)) : document.exitFullscreen?.()));
  const step = (by) => ((at = (at + by + items.length) % items.length), load());

  let turning = 0;
  const setTurning = (on) => {
    cancelAnimationFrame(turning);
    let last = performance.now();
    const next = (now) => {
      viewOf(canvas).turn += (now - last) * TURN_PER_MS;
      last = now;
      redraw();
      turning = requestAnimationFrame(next);
    };
    if (on) turning = requestAnimationFrame(next);
  };
  const load = () => {
    const item = items[at];
    text(title, item.title);
    canvas.setAttribute("aria-label", `${item.title}, large. Arrow keys turn it, + and - zoom, 0 resets.`);
    place(view, [canvas, item.photo && before]);
    if (item.photo) Object.assign(before, { src: item.photo, alt: `${item.title} in the photo` });
    photo.hidden = !item.photo;
    show(canvas, item.url, `stage ${item.key}`);
    redraw();
  };
  const touch = matchMedia("(pointer: coarse)").matches;
  const hint = touch ? "One finger turns, two fingers zoom." : "Drag turns, Shift or the right button moves, the wheel zooms to the cursor. Keys: arrows, + and −, 0, W, G, T.";
  const keys = { w: wire, g: ground, t: turntable };
  const close = () => (setTurning(false), dialog.remove());
  const dialog = el(
    "dialog",
    { class: "mm-stage", "aria-label": "Large view", oncancel: close, onkeydown: (event) => event.target.tagName !== "SELECT" && !event.ctrlKey && keys[event.key]?.click() },
    el("header", {}, el("button", { class: "mm-icon", "aria-label": "The object before", hidden: items.length < 2, onclick: () => step(-1) }, "‹"), title, el("button", { class: "mm-icon", "aria-label": "The next object", hidden: items.length < 2, onclick: () => step(1) }, "›"), el("button", { class: "mm-icon", "aria-label": "Close", onclick: close }, "×")),
    view,
    el(
      "div",
      { class: "mm-actions mm-stage-tools" },
      choice("Show", SHOWN, (value) => ((look.mode = value), redraw())),
      choice("Light", LIGHTS, (value) => ((look.light = value), redraw())),
      choice("Background", Object.fromEntries(BACKGROUNDS.map((name) => [name, name[0].toUpperCase() + name.slice(1)])), (value) => (view.dataset.background = value)),
      wire,
      ground,
      turntable,
      photo,
      full,
    ),
    el("p", { class: "mm-hint" }, hint),
  );
  document.body.append(dialog);
  dialog.showModal();
  load();
  canvas.focus();
}

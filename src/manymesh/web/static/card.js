// One object's card: its cutout, grey shape and painted model as they are made; downloads; paint again; try again.

import { colour, el, textColourOn, place, save, seconds, text } from "./dom.js";
import { show, webglWorks } from "./viewer.js";

const LOOKS = [
  ["cutout", "Cutout"],
  ["mesh", "Shape"],
  ["model", "Painted"],
];
const FORMATS = ["glb", "obj", "stl", "ply", "3mf"];
const AFTER = { "": "Waiting", crop: "Found", matte: "Cut out", shape: "Modelled", refine: "Modelled", paint: "Painted", write: "Made" };

/** A button that unfolds a list of further ones; Escape and leaving it close it. */
function menu(name, ...items) {
  const details = el("details", { class: "mm-menu" }, el("summary", { class: "mm-button" }, name), el("div", { class: "mm-menu-list" }, ...items));
  details.addEventListener("keydown", (event) => event.key === "Escape" && ((details.open = false), details.firstChild.focus()));
  details.addEventListener("focusout", (event) => !details.contains(event.relatedTarget) && event.relatedTarget && (details.open = false));
  return details;
}

export class Card {
  constructor(actions) {
    this.actions = actions;
    this.chosen = null;
    this.title = el("h3", {});
    this.number = el("span", { class: "mm-number", "aria-hidden": "true" });
    this.badge = el("span", { class: "mm-badge" });
    this.picture = el("img", { class: "mm-cutout", alt: "", loading: "lazy", draggable: false });
    this.canvas = el("canvas", { class: "mm-model", tabindex: "0", role: "img" });
    this.canvas.addEventListener("failed", (event) => text(this.problem, `Cannot show it: ${event.detail}`));
    this.view = el("div", { class: "mm-view" });
    this.large = el("button", { class: "mm-icon mm-large", "aria-label": "Large view", title: "Large view", onclick: () => actions.large(this.object.index) }, "⤢");
    this.looks = el("div", { class: "mm-looks", role: "group", "aria-label": "What to show" });
    this.buttons = Object.fromEntries(
      LOOKS.map(([look, name]) => [look, el("button", { class: "mm-look", "data-look": look, onclick: () => ((this.chosen = look), this.draw()) }, name)]),
    );
    this.meta = el("p", { class: "mm-meta" });
    this.problem = el("p", { class: "mm-problem" });
    this.doubtList = el("ul", {});
    this.doubtCount = el("summary", {});
    // Folded on a phone, where many cards are to be on the screen.
    this.doubts = el("details", { class: "mm-doubts", open: !matchMedia("(max-width: 480px)").matches }, this.doubtCount, this.doubtList);
    this.menu = el("div", {});
    this.download = menu("Download", this.menu);
    this.repaint = el("button", { class: "mm-button", onclick: () => actions.paintAgain(this.object.index) }, "Paint again");
    this.retry = el("button", { class: "mm-button mm-primary", onclick: () => actions.retry() }, "Try again");
    const closing = (act) => () => ((this.more.open = false), act());
    this.redraw = el("button", { onclick: closing(() => actions.redraw(this.object.index)) }, "Draw the box again");
    this.cut = el("button", { onclick: closing(() => actions.cutByHand(this.object)) }, "Cut out by hand");
    this.others = el("div", {});
    this.more = menu("More", this.redraw, this.cut, this.others);
    this.closing = closing;
    this.bar = el("div", { class: "mm-actions" });
    this.element = el(
      "article",
      { class: "mm-card" },
      el("header", {}, this.number, this.title, this.badge),
      this.view,
      this.looks,
      this.meta,
      this.problem,
      this.doubts,
      this.bar,
    );
  }

  /** Show the object's state; ``job`` is the run's job if one is active. */
  update(object, run, job) {
    const now = JSON.stringify([object, job?.object, job?.words, job?.state, run.name]);
    if (now === this.shown) return;
    this.shown = now;
    if (this.object && (this.object.id !== object.id || this.run.name !== run.name)) this.chosen = null;
    [this.object, this.run, this.job] = [object, run, job];
    this.element.dataset.id = object.id;
    this.element.setAttribute("aria-label", `Object ${object.index}: ${object.label}`);
    this.element.style.cssText = `--colour:${colour(object.index - 1)};--tag-ink:${textColourOn(object.index - 1)}`;
    text(this.number, String(object.index));
    text(this.title, object.label);
    const mine = job && job.object === object.id;
    const state = object.error ? "failed" : mine ? "working" : object.state === "done" ? "done" : "pending";
    this.element.dataset.state = state;
    text(this.badge, mine ? job.words : state === "failed" ? "Failed" : state === "done" ? "Done" : (AFTER[object.stages_done.at(-1) ?? ""] ?? ""));
    const facts = [];
    if (object.faces) facts.push(`${object.faces.toLocaleString("en")} faces`);
    if (object.seconds) facts.push(seconds(object.seconds));
    if (object.watertight) facts.push("watertight");
    if (object.paint_seed !== null) facts.push(`paint seed ${object.paint_seed}`);
    text(this.meta, facts.join(" · "));
    text(this.problem, object.error ? `${object.error.message}. ${object.error.hint}` : object.warnings.join(" "));
    this.problem.classList.toggle("mm-bad", !!object.error);
    if (object.error) this.problem.setAttribute("role", "alert");
    else this.problem.removeAttribute("role");
    this.problem.hidden = !this.problem.textContent;
    this.doubtList.replaceChildren(...object.doubts.map((doubt) => el("li", {}, doubt)));
    text(this.doubtCount, object.doubts.length === 1 ? "1 doubt" : `${object.doubts.length} doubts`);
    this.doubts.hidden = !object.doubts.length;
    this.fillMenu();
    const busy = !!job;
    this.repaint.disabled = this.retry.disabled = busy;
    place(this.bar, [
      object.files.mesh && this.download,
      run.paint_varies && object.files.model && !object.error && this.repaint,
      object.error && this.retry,
      !busy && run.found && this.more,
    ]);
    this.cut.hidden = !object.files.crop;
    this.others.replaceChildren(...this.actions.otherEngines(run).map((engine) => el("button", { onclick: this.closing(() => this.actions.withEngine(object, engine)) }, `Try the engine ${engine}`)));
    this.draw();
  }

  fillMenu() {
    const { object, run } = this;
    const wanted = JSON.stringify([object.files, run.name]);
    if (wanted === this.filled) return;
    this.filled = wanted;
    const close = () => (this.download.open = false);
    const items = FORMATS.map((format) =>
      el("button", { "data-format": format, onclick: () => (close(), this.actions.download(object.index, format)) }, format.toUpperCase()),
    );
    if (object.files.cutout)
      items.push(el("button", { onclick: () => (close(), save(object.files.cutout.url, `${object.id}-cutout.png`)) }, "Cutout (PNG)"));
    this.menu.replaceChildren(...items);
  }

  draw() {
    const { files } = this.object;
    const have = LOOKS.map(([look]) => look).filter((look) => files[look]);
    const look = have.includes(this.chosen) ? this.chosen : have.at(-1);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.disabled = !have.includes(name);
      button.setAttribute("aria-pressed", String(name === look));
    }
    place(this.looks, LOOKS.map(([name]) => (name === "model" && this.run.settings.texture === false ? null : this.buttons[name])));
    this.element.dataset.look = look ?? "crop";
    if ((look === "mesh" || look === "model") && webglWorks()) {
      const kind = look === "model" ? "painted model" : "grey shape";
      this.canvas.setAttribute("aria-label", `${this.object.label}, ${kind}. Drag or use the arrow keys to turn it, + and - to zoom, 0 to reset.`);
      this.view.classList.remove("mm-checker");
      place(this.view, [this.canvas, this.large]);
      show(this.canvas, files[look].url, `${this.run.name}/${this.object.id}`);
      return;
    }
    // Without WebGL the four rendered views still show what was made.
    const role = look && look !== "cutout" ? (files.preview ? "preview" : "cutout") : (look ?? "crop");
    const file = files[role];
    if (file && this.picture.getAttribute("src") !== file.url) this.picture.src = file.url;
    this.picture.alt = `${this.object.label}, ${role}`;
    this.view.classList.toggle("mm-checker", role === "cutout");
    place(this.view, [file ? this.picture : null]);
  }
}

// The found objects on the photo: untick, rename, redraw, add; undo and redo; zoom. Mouse, touch and keyboard. Every
// change is told at once, so that it can be kept with the run.

import { colour, el, textColourOn, place, text } from "./dom.js";

const SMALLEST_PX = 8;
const THUMB_PX = 56;
const CORNERS = { nw: [0, 1], ne: [2, 1], sw: [0, 3], se: [2, 3] };
const MOST_ZOOM = 6;
const STEPS_KEPT = 100;

export class BoxEditor {
  /** @param actions onMake(), onEdits(edits) after every change */
  constructor({ onMake, onEdits }) {
    Object.assign(this, { onEdits, items: [], past: [], future: [], zoom: 1, ready: false });
    const button = (label, name, onclick, more = {}) => el("button", { class: "mm-icon", "aria-label": name, title: name, onclick, ...more }, label);
    this.image = el("img", { alt: "Your photo with a numbered box around each object that was found", draggable: false });
    this.photo = el("div", { class: "mm-photo-area" }, this.image);
    this.frame = el("div", { class: "mm-photo-frame" }, this.photo);
    this.names = el("datalist", { id: "mm-asked-names" });
    this.list = el("ul", { class: "mm-found", "aria-label": "Objects that were found" });
    this.add = el("button", { class: "mm-button", "aria-pressed": "false", onclick: (event) => this.addPressed(event) }, "Add a box");
    this.make = el("button", { class: "mm-button mm-primary", onclick: () => onMake() }, "Make");
    this.nameAll = el("button", { class: "mm-button", hidden: true, onclick: () => this.giveNames() });
    this.stale = el("p", { class: "mm-hint mm-stale", role: "status", hidden: true }, "What to look for has changed since these were found. Find objects looks again.");
    this.hint = el("p", { class: "mm-hint" }, "Untick what you do not want, rename, drag a box or its corners. Keys: arrows move a box, Shift+arrows resize it, Delete takes it out, Ctrl+Z undoes.");
    this.undoButton = button("↶", "Undo", () => this.undo());
    this.redoButton = button("↷", "Redo", () => this.redo());
    this.tools = el("div", { class: "mm-actions mm-tools", role: "group", "aria-label": "Photo" }, this.undoButton, this.redoButton, button("−", "Zoom out", () => this.zoomBy(1 / 1.5)), button("+", "Zoom in", () => this.zoomBy(1.5)), (this.fit = button("⤢", "Whole photo", () => this.zoomBy(0))));
    this.element = el(
      "section",
      { class: "mm-editor", "aria-label": "Found objects", onkeydown: (event) => this.onShortcut(event) },
      el("div", {}, this.tools, this.frame),
      el("div", { class: "mm-side" }, this.stale, this.hint, this.names, this.list, el("div", { class: "mm-actions" }, this.add, this.nameAll, this.make)),
    );
    this.photo.addEventListener("pointerdown", (event) => this.drawBox(event));
    this.frame.addEventListener("wheel", (event) => event.ctrlKey && (event.preventDefault(), this.zoomBy(Math.exp(-event.deltaY * 0.004), event)), { passive: false });
  }

  /** Show a run's objects, with the changes that a person has made since they were found. */
  open(run) {
    [this.run, this.width, this.height] = [run.name, run.photo.width, run.photo.height];
    this.image.src = run.photo.url;
    this.photo.style.aspectRatio = `${this.width} / ${this.height}`;
    this.photo.style.setProperty("--ratio", this.width / this.height);
    this.frame.style.setProperty("--ratio", this.width / this.height);
    const found = run.objects.map((object) => ({ index: object.index, label: object.label, box: [...object.box], keep: object.state !== "skipped", found: object }));
    this.items = edited(found, run.edits ?? []).map((item) => this.item(item));
    Object.assign(this, { past: [], future: [], zoom: 1 });
    this.last = this.state();
    this.image.decode?.().then(() => this.items.forEach((item) => this.thumb(item)), () => {});
    const asked = (run.settings.prompt ?? "").split(",").map((name) => name.trim()).filter(Boolean);
    this.asked = asked;
    this.names.replaceChildren(...asked.map((name) => el("option", { value: name })));
    // Where names could not be looked for, they are offered for what was found.
    this.nameAll.hidden = !asked.length || run.objects.some((object) => asked.includes(object.label));
    text(this.nameAll, `Name them ${asked.join(", ")}`);
    this.zoomBy(0);
    this.refresh();
  }

  /** What the user changed, as the server wants it. */
  edits() {
    return this.items.flatMap((item) => {
      if (!item.found) return item.keep ? [{ box: item.box, label: item.label.trim() || null }] : [];
      const edit = { index: item.index, keep: item.keep };
      if (item.label.trim() && item.label.trim() !== item.found.label) edit.label = item.label.trim();
      if (item.box.some((value, at) => value !== item.found.box[at])) edit.box = item.box;
      return edit.label || edit.box || item.keep !== (item.found.state !== "skipped") ? [edit] : [];
    });
  }

  /** Let the person draw the box of one object again. */
  focusOn(index) {
    const item = this.items.find((each) => each.index === index);
    item?.box_.focus();
    item?.box_.scrollIntoView({ block: "nearest" });
  }

  item(item) {
    item.box_ = el(
      "div",
      { class: "mm-box", tabindex: "0", role: "group", onkeydown: (event) => this.onKey(event, item), onpointerdown: (event) => this.drag(event, item), onclick: () => item.box_.focus() },
      el("span", { class: "mm-tag" }, `${item.index} `, (item.tag = el("span", { class: "mm-tag-label" }))),
      ...Object.keys(CORNERS).map((corner) => el("span", { class: `mm-corner mm-${corner}`, "data-corner": corner, "aria-hidden": "true" })),
    );
    item.check = el("input", { type: "checkbox", id: `mm-keep-${item.index}`, onchange: () => ((item.keep = item.check.checked), this.changed()) });
    item.input = el("input", { type: "text", class: "mm-name", maxlength: "80", list: "mm-asked-names", placeholder: "name it", oninput: () => ((item.label = item.input.value), this.refresh()), onchange: () => this.changed() });
    item.input.addEventListener("keydown", (event) => event.key === "Enter" && item.input.blur());
    item.canvas = el("canvas", { class: "mm-thumb", "aria-hidden": "true" });
    item.remove = item.found
      ? el("button", { class: "mm-icon", title: "Put the box back as it was found", onclick: () => ((item.box = [...item.found.box]), this.changed()) }, "↺")
      : el("button", { class: "mm-icon", title: "Remove this box", onclick: () => (this.takeOut(item), this.add.focus()) }, "×");
    item.number = el("span", { class: "mm-number", "aria-hidden": "true" }, String(item.index));
    item.row = el("li", {}, item.check, item.number, item.canvas, item.input, item.remove);
    return item;
  }

  /** Names for screen readers; they follow the label. */
  describe(item) {
    const name = `${item.index} ${item.label}`;
    item.check.setAttribute("aria-label", `Make ${name}`);
    item.input.setAttribute("aria-label", `Name of object ${item.index}`);
    item.remove.setAttribute("aria-label", `${item.found ? "Reset the box of" : "Remove"} ${name}`);
    item.box_.setAttribute("aria-label", `Box ${name}: arrow keys move it, Shift and arrow keys resize it, Delete takes it out`);
  }

  /** Draw everything as it stands. */
  refresh() {
    for (const item of this.items) {
      const [x0, y0, x1, y1] = item.box;
      const { style } = item.box_;
      [style.left, style.top] = [`${(x0 / this.width) * 100}%`, `${(y0 / this.height) * 100}%`];
      [style.width, style.height] = [`${((x1 - x0) / this.width) * 100}%`, `${((y1 - y0) / this.height) * 100}%`];
      style.setProperty("--colour", colour(item.index - 1));
      style.setProperty("--tag-ink", textColourOn(item.index - 1));
      item.row.style.cssText = `--colour:${colour(item.index - 1)};--tag-ink:${textColourOn(item.index - 1)}`;
      item.box_.classList.toggle("mm-out", !item.keep);
      item.row.classList.toggle("mm-out", !item.keep);
      item.check.checked = item.keep;
      if (item.input.value !== item.label) item.input.value = item.label;
      const score = item.found?.score;
      text(item.tag, `${item.label}${score === null || score === undefined ? "" : ` ${Math.round(score * 100)} %`}`);
      item.remove.style.visibility = item.found && item.box.every((value, at) => value === item.found.box[at]) ? "hidden" : "";
      this.describe(item);
      this.thumb(item);
    }
    // Small boxes above large ones, so that each can be reached.
    const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
    [...this.items].sort((a, b) => area(b) - area(a)).forEach((item, at) => (item.box_.style.zIndex = at + 1));
    place(this.photo, [this.image, ...this.items.map((item) => item.box_)]);
    place(this.list, this.items.map((item) => item.row));
    const count = this.items.filter((item) => item.keep).length;
    text(this.make, count === 1 ? "Make 1 object" : `Make ${count} objects`);
    this.make.disabled = count === 0 || !this.ready;
    this.undoButton.disabled = !this.past.length;
    this.redoButton.disabled = !this.future.length;
  }

  /** Whether the objects can be made just now: the settings are known, and nothing is being sent. */
  setReady(on) {
    if (this.ready === on) return;
    this.ready = on;
    this.make.disabled = !on || !this.items.some((item) => item.keep);
  }

  state() {
    return JSON.stringify(this.items.map(({ index, label, box, keep, found }) => ({ index, label, box, keep, added: !found })));
  }

  /** A change is complete: remember what was before it, and tell. */
  changed() {
    const now = this.state();
    if (now !== this.last) {
      this.past = [...this.past, this.last].slice(-STEPS_KEPT);
      [this.future, this.last] = [[], now];
      this.onEdits(this.edits());
    }
    this.refresh();
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    if (!from.length) return;
    to.push(this.last);
    this.last = from.pop();
    const known = new Map(this.items.map((item) => [item.index, item]));
    this.items = JSON.parse(this.last).map((each) => Object.assign(known.get(each.index) ?? this.item({ ...each, found: null }), each));
    this.onEdits(this.edits());
    this.refresh();
  }

  takeOut(item) {
    if (item.found) item.keep = false;
    else this.items = this.items.filter((each) => each !== item);
    this.changed();
  }

  /** Give the names that were asked for to the kept objects, left to right. */
  giveNames() {
    const kept = this.items.filter((item) => item.keep).sort((a, b) => a.box[0] - b.box[0]);
    kept.slice(0, this.asked.length).forEach((item, at) => (item.label = this.asked[at]));
    this.nameAll.hidden = true;
    this.changed();
  }

  thumb(item) {
    if (!this.image.complete || !this.image.naturalWidth) return;
    const [x0, y0, x1, y1] = item.box;
    const shrink = THUMB_PX / Math.max(x1 - x0, y1 - y0);
    [item.canvas.width, item.canvas.height] = [Math.max((x1 - x0) * shrink, 1), Math.max((y1 - y0) * shrink, 1)];
    item.canvas.getContext("2d").drawImage(this.image, x0, y0, x1 - x0, y1 - y0, 0, 0, item.canvas.width, item.canvas.height);
  }

  /** Enlarge the photo within its frame, about the cursor or the centre; 0 shows all of it. */
  zoomBy(factor, at = null) {
    const before = this.zoom, area = this.frame.getBoundingClientRect();
    this.zoom = factor ? Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM) : 1;
    const [x, y] = at ? [at.clientX - area.left, at.clientY - area.top] : [area.width / 2, area.height / 2];
    const [left, top] = [this.frame.scrollLeft + x, this.frame.scrollTop + y];
    this.photo.style.width = `${this.zoom * 100}%`;
    const grown = this.zoom / before;
    this.frame.scrollTo(left * grown - x, top * grown - y);
    this.fit.disabled = this.zoom === 1;
  }

  point(event) {
    const area = this.photo.getBoundingClientRect();
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), 1) * most);
    return [within((event.clientX - area.left) / area.width, this.width), within((event.clientY - area.top) / area.height, this.height)];
  }

  trackPointer(event, move, end = () => {}) {
    event.preventDefault();
    const stop = () => {
      this.photo.removeEventListener("pointermove", move);
      this.photo.removeEventListener("pointerup", stop);
      this.photo.removeEventListener("pointercancel", stop);
      end();
      this.changed();
    };
    this.photo.setPointerCapture(event.pointerId);
    this.photo.addEventListener("pointermove", move);
    this.photo.addEventListener("pointerup", stop);
    this.photo.addEventListener("pointercancel", stop);
  }

  drag(event, item) {
    if (this.drawing || event.button) return;
    // A swipe scrolls the page. A tap chooses a box, and then it can be dragged.
    if (event.pointerType === "touch" && document.activeElement !== item.box_) return;
    event.stopPropagation();
    item.box_.focus();
    const from = this.point(event), before = [...item.box], corner = CORNERS[event.target.dataset.corner];
    this.trackPointer(event, (moved) => {
      const [dx, dy] = this.point(moved).map((value, axis) => value - from[axis]);
      if (corner) this.resize(item, before, corner, dx, dy);
      else this.shift(item, before, dx, dy);
    });
  }

  shift(item, [x0, y0, x1, y1], dx, dy) {
    const x = Math.min(Math.max(dx, -x0), this.width - x1), y = Math.min(Math.max(dy, -y0), this.height - y1);
    item.box = [x0 + x, y0 + y, x1 + x, y1 + y];
    this.refresh();
  }

  resize(item, before, [across, down], dx, dy) {
    const box = [...before];
    const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
    if (across === 0) box[0] = clamp(before[0] + dx, 0, before[2] - SMALLEST_PX);
    else box[2] = clamp(before[2] + dx, before[0] + SMALLEST_PX, this.width);
    if (down === 1) box[1] = clamp(before[1] + dy, 0, before[3] - SMALLEST_PX);
    else box[3] = clamp(before[3] + dy, before[1] + SMALLEST_PX, this.height);
    item.box = box;
    this.refresh();
  }

  onKey(event, item) {
    if (event.target !== item.box_) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.takeOut(item);
      if (!item.found) this.add.focus();
      return;
    }
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = Math.max(1, Math.round(Math.max(this.width, this.height) / (event.altKey ? 1000 : 100)));
    if (event.shiftKey) this.resize(item, item.box, CORNERS.se, direction[0] * step, direction[1] * step);
    else this.shift(item, item.box, direction[0] * step, direction[1] * step);
    this.changed();
  }

  onShortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text]")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) this.undo();
    else if (key === "y" || (key === "z" && event.shiftKey)) this.redo();
    else return;
    event.preventDefault();
  }

  addPressed(event) {
    // A key press cannot draw: it gets a box in the centre, to be moved by keys.
    if (event.detail === 0) {
      this.added([0.35, 0.35, 0.65, 0.65].map((share, at) => Math.round(share * (at % 2 ? this.height : this.width)))).box_.focus();
      return this.changed();
    }
    this.setDrawing(!this.drawing);
  }

  setDrawing(on) {
    this.drawing = on;
    this.add.setAttribute("aria-pressed", String(on));
    this.photo.classList.toggle("mm-drawing", on);
    text(this.add, on ? "Draw it on the photo…" : "Add a box");
  }

  drawBox(event) {
    if (!this.drawing && (event.pointerType !== "mouse" || event.button)) return;
    const from = this.point(event);
    let item = null;
    this.trackPointer(
      event,
      (moved) => {
        const to = this.point(moved);
        const box = [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
        if (box[2] - box[0] < SMALLEST_PX || box[3] - box[1] < SMALLEST_PX) return;
        item ??= this.added(box);
        item.box = box;
        this.refresh();
      },
      () => {
        this.setDrawing(false);
        item?.input.focus();
      },
    );
  }

  added(box) {
    const index = Math.max(0, ...this.items.map((item) => item.index)) + 1;
    const item = this.item({ index, label: "", box, keep: true, found: null });
    this.items.push(item);
    this.refresh();
    return item;
  }
}

/** The found objects with a person's edits, as ``edits`` gives them. */
function edited(found, edits) {
  const items = found.map((item) => {
    const edit = edits.find((each) => each.index === item.index);
    return edit ? { ...item, keep: edit.keep ?? true, label: edit.label ?? item.label, box: edit.box ? [...edit.box] : item.box } : item;
  });
  let index = Math.max(0, ...items.map((item) => item.index));
  for (const edit of edits) if (!edit.index && edit.box) items.push({ index: ++index, label: edit.label ?? "", box: [...edit.box], keep: true, found: null });
  return items;
}

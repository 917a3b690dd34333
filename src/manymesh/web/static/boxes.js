// The found objects on the photo: untick, rename, redraw, add. Mouse, touch and keyboard.

import { colour, el, textColourOn, place, text } from "./dom.js";

const SMALLEST_PX = 8;
const THUMB_PX = 56;
const CORNERS = { nw: [0, 1], ne: [2, 1], sw: [0, 3], se: [2, 3] };

export class BoxEditor {
  constructor({ onMake }) {
    this.items = [];
    this.image = el("img", { alt: "Your photo with a numbered box around each object that was found", draggable: false });
    this.photo = el("div", { class: "mm-photo-area" }, this.image);
    this.list = el("ul", { class: "mm-found", "aria-label": "Objects that were found" });
    this.add = el("button", { class: "mm-button", "aria-pressed": "false", onclick: (event) => this.addPressed(event) }, "Add a box");
    this.make = el("button", { class: "mm-button mm-primary", onclick: () => onMake(this.edits()) }, "Make");
    this.hint = el("p", { class: "mm-hint" }, "Untick what you do not want, rename, drag a box or its corners. Keys: arrows move a box, Shift+arrows resize it.");
    this.element = el(
      "section",
      { class: "mm-editor", "aria-label": "Found objects" },
      this.photo,
      el("div", { class: "mm-side" }, this.hint, this.list, el("div", { class: "mm-actions" }, this.add, this.make)),
    );
    this.photo.addEventListener("pointerdown", (event) => this.drawBox(event));
  }

  /** Show a run's objects as they are on the server. */
  open(run) {
    [this.run, this.width, this.height] = [run.name, run.photo.width, run.photo.height];
    this.image.src = run.photo.url;
    this.photo.style.aspectRatio = `${this.width} / ${this.height}`;
    this.photo.style.setProperty("--ratio", this.width / this.height);
    this.items = run.objects.map((object) => this.item({ index: object.index, label: object.label, box: [...object.box], keep: object.state !== "skipped", found: object }));
    this.image.decode?.().then(() => this.items.forEach((item) => this.thumb(item)), () => {});
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

  item(item) {
    const named = () => `${item.index} ${item.label}`;
    item.box_ = el(
      "div",
      { class: "mm-box", tabindex: "0", role: "group", onkeydown: (event) => this.onKey(event, item), onpointerdown: (event) => this.drag(event, item) },
      el("span", { class: "mm-tag" }, `${item.index} `, (item.tag = el("span", { class: "mm-tag-label" }))),
      ...Object.keys(CORNERS).map((corner) => el("span", { class: `mm-corner mm-${corner}`, "data-corner": corner, "aria-hidden": "true" })),
    );
    item.check = el("input", { type: "checkbox", id: `mm-keep-${item.index}`, checked: item.keep, onchange: () => ((item.keep = item.check.checked), this.refresh()) });
    item.input = el("input", { type: "text", class: "mm-name", maxlength: "80", value: item.label, oninput: () => ((item.label = item.input.value), this.refresh()) });
    item.input.addEventListener("keydown", (event) => event.key === "Enter" && item.input.blur());
    item.canvas = el("canvas", { class: "mm-thumb", "aria-hidden": "true" });
    item.remove = item.found
      ? el("button", { class: "mm-icon", title: "Put the box back as it was found", onclick: () => ((item.box = [...item.found.box]), this.refresh()) }, "↺")
      : el("button", { class: "mm-icon", title: "Remove this box", onclick: () => ((this.items = this.items.filter((each) => each !== item)), this.refresh(), this.add.focus()) }, "×");
    item.number = el("span", { class: "mm-number", "aria-hidden": "true" }, String(item.index));
    item.row = el("li", {}, item.check, item.number, item.canvas, item.input, item.remove);
    item.name = () => {
      item.check.setAttribute("aria-label", `Make ${named()}`);
      item.input.setAttribute("aria-label", `Name of object ${item.index}`);
      item.remove.setAttribute("aria-label", `${item.found ? "Reset the box of" : "Remove"} ${named()}`);
      item.box_.setAttribute("aria-label", `Box ${named()}: arrow keys move it, Shift and arrow keys resize it`);
    };
    return item;
  }

  refresh() {
    for (const item of this.items) {
      const [x0, y0, x1, y1] = item.box;
      const { style } = item.box_;
      [style.left, style.top] = [`${(x0 / this.width) * 100}%`, `${(y0 / this.height) * 100}%`];
      [style.width, style.height] = [`${((x1 - x0) / this.width) * 100}%`, `${((y1 - y0) / this.height) * 100}%`];
      style.setProperty("--colour", colour(item.index - 1));
      style.setProperty("--ink", textColourOn(item.index - 1));
      item.row.style.cssText = `--colour:${colour(item.index - 1)};--ink:${textColourOn(item.index - 1)}`;
      item.box_.classList.toggle("mm-out", !item.keep);
      item.row.classList.toggle("mm-out", !item.keep);
      text(item.tag, item.label);
      item.remove.style.visibility = item.found && item.box.every((value, at) => value === item.found.box[at]) ? "hidden" : "";
      item.name();
      this.thumb(item);
    }
    // Small boxes above large ones, so that each can be reached.
    const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
    [...this.items].sort((a, b) => area(b) - area(a)).forEach((item, at) => (item.box_.style.zIndex = at + 1));
    place(this.photo, [this.image, ...this.items.map((item) => item.box_)]);
    place(this.list, this.items.map((item) => item.row));
    const count = this.items.filter((item) => item.keep).length;
    text(this.make, count === 1 ? "Make 1 object" : `Make ${count} objects`);
    this.make.disabled = count === 0;
  }

  thumb(item) {
    if (!this.image.complete || !this.image.naturalWidth) return;
    const [x0, y0, x1, y1] = item.box;
    const shrink = THUMB_PX / Math.max(x1 - x0, y1 - y0);
    [item.canvas.width, item.canvas.height] = [Math.max((x1 - x0) * shrink, 1), Math.max((y1 - y0) * shrink, 1)];
    item.canvas.getContext("2d").drawImage(this.image, x0, y0, x1 - x0, y1 - y0, 0, 0, item.canvas.width, item.canvas.height);
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
    };
    this.photo.setPointerCapture(event.pointerId);
    this.photo.addEventListener("pointermove", move);
    this.photo.addEventListener("pointerup", stop);
    this.photo.addEventListener("pointercancel", stop);
  }

  drag(event, item) {
    if (this.drawing || event.button) return;
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
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!direction || event.target !== item.box_) return;
    event.preventDefault();
    const step = Math.max(1, Math.round(Math.max(this.width, this.height) / (event.altKey ? 1000 : 100)));
    if (event.shiftKey) this.resize(item, item.box, CORNERS.se, direction[0] * step, direction[1] * step);
    else this.shift(item, item.box, direction[0] * step, direction[1] * step);
  }

  addPressed(event) {
    // A key press cannot draw: it gets a box in the centre, to be moved by keys.
    if (event.detail === 0) return this.added([0.35, 0.35, 0.65, 0.65].map((share, at) => Math.round(share * (at % 2 ? this.height : this.width))));
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
        if (!item) item = this.added(box, false);
        item.box = box;
        this.refresh();
      },
      () => {
        this.setDrawing(false);
        item?.input.focus();
      },
    );
  }

  added(box, focus = true) {
    const index = Math.max(0, ...this.items.map((item) => item.index)) + 1;
    const item = this.item({ index, label: "", box, keep: true, found: null });
    item.input.placeholder = "name it";
    this.items.push(item);
    this.refresh();
    if (focus) item.box_.focus();
    return item;
  }
}

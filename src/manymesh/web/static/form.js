// The left-hand side: photos, what to make of them, and how. What it shows is what is made.

import { el, text } from "./dom.js";
import { DownloadOffer } from "./download.js";
import { Fields, same } from "./fields.js";
import { Photos } from "./photos.js";
import { Presets } from "./presets.js";

const KEPT = "manymesh-settings";
// Belong to one photo, so they are not kept for the next.
const NOT_KEPT = ["prompt", "seed"];
// What was asked of the finder: another answer needs another look at the photo.
const FINDING = ["prompt", "detector", "detector_tokens", "max_objects", "whole_image_if_none"];

export class Form {
  constructor(element, { onSubmit, onChange, onComplain, ...downloading }) {
    Object.assign(this, { onSubmit, onChange, onComplain });
    this.photos = new Photos({ onChange: () => this.changed(), onComplain });
    this.find = el("button", { type: "button", id: "mm-find", class: "mm-button mm-wide-button", disabled: true, onclick: () => this.submit("find") }, "Find objects");
    this.make = el("button", { type: "submit", id: "mm-make", class: "mm-button mm-primary mm-wide-button", disabled: true }, "Make");
    this.prompt = el("div", {});
    this.promptWords = el("p", { class: "mm-prompt-words", role: "status" });
    this.reader = new DownloadOffer(downloading);
    this.promptNote = el("div", { class: "mm-prompt-note", hidden: true }, this.promptWords, this.reader.element);
    this.result = el("details", { class: "mm-fold" }, el("summary", {}, "Result"));
    this.expert = el("details", { class: "mm-fold" }, el("summary", {}, "Engine and details"));
    this.element = el(
      "form",
      { class: "mm-form", novalidate: true },
      this.photos.element,
      this.prompt,
      this.promptNote,
      el("div", { class: "mm-actions mm-go" }, this.find, this.make),
      (this.presetsHere = el("div", {})),
      this.result,
      this.expert,
    );
    // On a phone the form folds once something is made, so that the results come first.
    this.unfold = el("button", { type: "button", class: "mm-button mm-unfold", onclick: () => this.setFolded(false) }, "Photo and settings");
    // Enter in a field makes.
    this.element.addEventListener("submit", (event) => (event.preventDefault(), this.submit("make")));
    element.replaceChildren(this.unfold, this.element);
    this.holder = element;
  }

  setFolded(on) {
    this.holder.classList.toggle("mm-folded", on);
  }

  /** Called once the server has said which settings there are. */
  start({ fields, presets }) {
    this.presets = new Presets(presets, (chosen) => (this.fields.show(chosen), this.changed("faces")));
    this.presetsHere.replaceChildren(this.presets.element);
    this.fields = new Fields(fields, (name) => this.changed(name));
    for (const field of this.fields.all.values()) {
      if (field.name === "prompt") this.prompt.replaceChildren(field.element);
      else (field.group === "result" ? this.result : this.expert).append(field.element);
    }
    const prompt = this.fields.all.get("prompt");
    prompt.control.placeholder = "cup, spoon";
    text(prompt.element.querySelector(".mm-hint"), "Names with commas between. Empty: everything.");
    this.fields.show(kept());
    this.find.disabled = this.make.disabled = false;
    this.changed();
  }

  /** Show the photo and the settings of a run. */
  showRun(run) {
    if (!this.fields || this.shown === run.name) return;
    this.shown = run.name;
    this.photos.showRun(run);
    this.fields.reset();
    this.fields.show(run.settings);
    this.changed();
  }

  /** What the engines can do here; see ladder.py. */
  showEngines(about) {
    this.about = about;
    this.changed();
  }

  updateDownload(download) {
    this.download = download;
    this.drawPromptNote();
  }

  /** The engine that would be taken as the form stands. */
  get engine() {
    const chosen = this.fields?.get("engine") ?? "auto";
    return this.about?.engines.find((each) => each.name === (chosen === "auto" ? this.about.auto.engine : chosen));
  }

  /** Only what the engine in use heeds, and what this machine can do, with the reason where it cannot. */
  drawExpert() {
    if (!this.about) return;
    for (const field of this.fields.all.values()) field.element.hidden = field.engines.length > 0 && !field.engines.includes(this.engine?.name);
    for (const option of this.fields.all.get("engine").control.options) {
      const rung = this.about.engines.find((each) => each.name === option.value);
      option.disabled = !!rung && !rung.ready;
      text(option, !rung ? `auto (${this.about.auto.engine ?? "none"})` : rung.ready ? rung.name : `${rung.name}: ${rung.lacks}`);
    }
    const faces = this.fields.all.get("faces"), most = this.engine?.most_faces;
    faces.why.hidden = !most || !(Number(faces.read()) > most);
    text(faces.why, `The engine ${this.engine?.name} makes at most ${most?.toLocaleString("en")}.`);
  }

  /** Says beside the box when names would not be read, and what would read them. */
  drawPromptNote() {
    if (!this.about || !this.fields) return;
    const named = !!this.fields.get("prompt");
    const reads = this.engine?.reads_names ?? false;
    const fetching = this.download?.state === "running";
    this.promptNote.hidden = reads || (!named && !fetching);
    text(this.promptWords, `The engine ${this.engine?.name ?? "here"} cannot look for names. It makes everything that stands out; Find objects lets you give these names to what it found.${this.about.reader ? " To look for names, download a reader of names:" : ""}`);
    this.reader.update(reads ? null : this.about.reader, this.download, this.about.may_download);
  }

  changed(name) {
    if (name && !NOT_KEPT.includes(name)) {
      const now = Object.fromEntries(Object.entries(this.fields.changed()).filter(([each]) => !NOT_KEPT.includes(each)));
      keep(now);
    }
    if (!this.fields) return;
    this.presets.show(this.fields.values());
    this.drawPromptNote();
    this.drawExpert();
    this.onChange();
  }

  /** Whether the form's photo and settings came from this run, or went into it. */
  shows(run) {
    return !!run && this.shown === run.name && this.photos.used && this.photos.items.length === 1;
  }

  /** Whether the form asks for other objects than the run was asked for. */
  findingChanged(run) {
    return !!this.fields && FINDING.some((name) => this.fields.all.has(name) && !same(this.fields.get(name), run.settings[name]));
  }

  /** The settings as the form shows them. */
  values() {
    return this.fields.values();
  }

  /** The same, whole: to go on with a run that has settings already. */
  complete() {
    return this.fields.complete();
  }

  async submit(kind) {
    if (this.busy) return; // three clicks make one job
    this.busy = this.find.disabled = this.make.disabled = true;
    try {
      await this.onSubmit(kind);
    } finally {
      this.busy = this.find.disabled = this.make.disabled = false;
    }
  }
}

function keep(settings) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing for pages starts anew each time.
  }
}

function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

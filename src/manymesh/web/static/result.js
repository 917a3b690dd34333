// One run: its title and what it was made with, notes, the box editor or the cards, scene and contact sheet.

import { BoxEditor } from "./boxes.js";
import { Card } from "./card.js";
import { el, place, seconds, text } from "./dom.js";
import { openStage } from "./stage.js";
import { show, turnAll, webglWorks } from "./viewer.js";

const CARD_PX = 215, PHONE_CARD_PX = 150, GAP_PX = 14;

/** What people should know before all else: names that were not found, a photo in which nothing stands out. */
function noticeOf(run) {
  const absent = run.missing_names;
  if (absent.length) return `Not found: ${absent.join(", ")}. Draw a box around ${absent.length > 1 ? "each" : "it"} with Edit objects, or try other words.`;
  const whole = run.objects.length === 1 && run.objects[0].source === "whole photo";
  return whole ? "Nothing stands out in this photo, so all of it was taken as one object. Draw a box around what you want, or take a photo on a calm background." : "";
}

export class Result {
  /** @param actions submit(name, data), goOn(edits), download(index, format), downloadAll() */
  constructor(actions) {
    Object.assign(this, { actions, cards: [], editing: false });
    this.editor = new BoxEditor({ onMake: () => this.make(), onEdits: (edits) => actions.keepEdits(this.run.name, edits) });
    this.empty = el(
      "div",
      { class: "mm-empty" },
      el("h2", {}, "One photo in, many 3D models out"),
      el("p", {}, "Choose a photo with one object or many on a calm background. Make does it all; Find objects lets you choose, rename and redraw first."),
    );
    this.title = el("h2", { class: "mm-run-title" });
    this.summary = el("p", { class: "mm-meta" });
    this.turn = el("button", { class: "mm-button", "aria-pressed": "false", onclick: () => this.setTurning(this.turn.getAttribute("aria-pressed") !== "true") }, "Turn");
    this.all = el("button", { class: "mm-button", onclick: () => this.downloadAll() }, "Download all");
    this.resume = el("button", { class: "mm-button mm-primary", onclick: () => actions.submit("resume", { run: this.run.name }) }, "Resume");
    this.edit = el("button", { class: "mm-button", onclick: () => this.setEditing(true) }, "Edit objects");
    this.back = el("button", { class: "mm-button", onclick: () => this.setEditing(false) }, "Back to models");
    this.runActions = el("div", { class: "mm-actions" });
    this.head = el("header", { class: "mm-run-head" }, el("div", {}, this.title, this.summary), this.runActions);
    this.notice = el("p", { class: "mm-notice", role: "status", hidden: true });
    this.notes = el("ul", { class: "mm-notes" });
    this.notesBox = el("details", { class: "mm-notes-box" }, el("summary", {}, "Notes"), this.notes);
    this.grid = el("div", { class: "mm-grid" });
    new ResizeObserver(() => this.layOut()).observe(this.grid);
    this.scene = el("canvas", { class: "mm-model", tabindex: "0", role: "img", "aria-label": "All objects where they are in the photo. Drag or use the arrow keys to turn, + and - to zoom." });
    this.sheet = el("img", { alt: "Contact sheet: every object from four sides", loading: "lazy" });
    this.sheetLink = el("a", { target: "_blank", rel: "noopener", title: "Open the contact sheet" }, this.sheet);
    this.sceneBox = el("article", { class: "mm-card mm-wide mm-scene" }, el("header", {}, el("h3", {}, "Scene")), el("div", { class: "mm-view" }, this.scene, el("button", { class: "mm-icon mm-large", "aria-label": "Large view", title: "Large view", onclick: () => this.openScene() }, "⤢")), el("div", { class: "mm-actions" }, (this.sceneLink = el("a", { class: "mm-button", download: "scene.glb" }, "Download scene"))));
    this.sheetBox = el("article", { class: "mm-card mm-wide mm-sheet" }, el("header", {}, el("h3", {}, "Contact sheet")), el("div", { class: "mm-view" }, this.sheetLink));
    this.extras = el("div", { class: "mm-extras" });
    this.element = el("div", { id: "mm-result", role: "tabpanel", "aria-labelledby": "mm-tab-result" }, this.empty, this.head, this.notice, this.notesBox, this.editor.element, this.grid, this.extras);
  }

  /** Another run will be shown. */
  forget() {
    this.editing = false;
  }

  /** Make the objects as the person has edited them. */
  make() {
    return this.actions.goOn(this.editor.edits());
  }

  /** Whether the objects can be made just now. */
  setReady(ready) {
    this.editor.setReady(ready);
  }

  /** Whether what to look for is another now than when the objects were found. */
  setStale(stale) {
    this.editor.stale.hidden = !stale;
  }

  /** The large view: of one object, from where all others can be reached. */
  openStage(index) {
    const made = this.run.objects.filter((object) => object.files.model ?? object.files.mesh);
    const items = made.map((object) => ({ title: object.label, url: (object.files.model ?? object.files.mesh).url, key: `${this.run.name}/${object.id}`, photo: object.files.crop?.url }));
    openStage(items, made.findIndex((object) => object.index === index));
  }

  openScene() {
    const { name, files, photo } = this.run;
    openStage([{ title: `Scene of ${photo.name}`, url: files.scene.url, key: `${name}/scene`, photo: photo.url }]);
  }

  /** Have the person draw the box of one object again. */
  drawAgain(index) {
    this.setEditing(true);
    this.editor.focusOn(index);
  }

  setEditing(on) {
    this.editing = on;
    this.redraw();
  }

  setTurning(on) {
    this.turn.setAttribute("aria-pressed", String(on));
    turnAll(on);
  }

  async downloadAll() {
    this.all.disabled = true;
    await this.actions.downloadAll();
    this.all.disabled = false;
  }

  /** Whether a person chooses among the found objects just now. */
  get choosing() {
    return !this.editor.element.hidden;
  }

  /** Show the run; ``job`` is the page's own, ``busy`` the one that works on the run, if any. */
  draw(run, job, busy) {
    this.redraw = () => this.draw(run, job, busy);
    this.run = run;
    this.empty.hidden = !!run || !!busy;
    this.head.hidden = this.grid.hidden = this.extras.hidden = !run;
    this.notice.hidden = this.notesBox.hidden = this.editor.element.hidden = true;
    if (!run) return;
    const made = run.objects.filter((object) => object.state === "done").length;
    const wanted = run.objects.filter((object) => object.state !== "skipped");
    const begun = run.objects.some((object) => object.stages_done.length || object.error);
    // Found and not begun: the user chooses. Otherwise only when asked.
    const choosing = run.found && !busy && (this.editing || (!begun && run.objects.length > 0 && job?.state !== "cancelled"));
    if (choosing && this.editorFor !== run.name) {
      this.editor.open(run);
      this.editorFor = run.name;
    }
    if (!choosing) this.editorFor = null;
    this.editor.element.hidden = !choosing;
    text(this.title, run.photo.name);
    text(this.summary, this.summaryOf(run, job, { begun, made, wanted: wanted.length }));
    const unfinished = !busy && run.found && !choosing && (!run.finished || run.state === "partial" || run.state === "failed");
    place(this.runActions, [
      unfinished && !run.error && this.resume,
      !busy && !choosing && run.found && this.edit,
      choosing && begun && this.back,
      made > 0 && !choosing && webglWorks() && this.turn,
      made > 0 && this.all,
    ]);
    text(this.notice, noticeOf(run));
    this.notice.hidden = !this.notice.textContent;
    this.drawNotes(run, job);
    this.grid.hidden = this.extras.hidden = choosing;
    if (choosing) return;
    this.drawCards(wanted, busy);
    this.drawExtras(made);
  }

  summaryOf(run, job, { begun, made, wanted }) {
    const count = !run.found ? "Looking for objects" : begun ? `${made} of ${wanted} made` : `${run.objects.length} found`;
    return [
      count,
      `engine ${run.engine}`,
      this.actions.inWords(run.settings),
      job?.state === "done" && begun ? `made in ${seconds(job.seconds)}` : "",
    ].filter(Boolean).join(" · ");
  }

  drawNotes(run, job) {
    const notes = [...new Set([...run.warnings.filter((note) => !/^(No '.*' was found|Nothing stood out)/.test(note)), ...(run.error ? [`${run.error.message}. ${run.error.hint}`] : []), ...(job?.kind === "paint" ? job.notes : [])])];
    const shown = notes.join("\n");
    this.notesBox.hidden = notes.length === 0;
    if (this.notesShown === shown) return;
    this.notesShown = shown;
    this.notesBox.open = notes.length <= 3;
    this.notes.replaceChildren(...notes.map((note) => el("li", {}, note)));
  }

  drawCards(objects, busy) {
    const { run } = this;
    while (this.cards.length < objects.length)
      this.cards.push(
        new Card({
          paintAgain: (index) => this.actions.submit("paint_again", { run: this.run.name, index, seed: crypto.getRandomValues(new Uint32Array(1))[0] }),
          large: (index) => this.openStage(index),
          cutByHand: (object) => this.actions.cutByHand(this.run, object),
          redraw: (index) => this.drawAgain(index),
          otherEngines: (run) => this.actions.otherEngines(run),
          withEngine: (object, engine) => this.actions.withEngine(this.run, object, engine),
          retry: () => this.actions.submit("resume", { run: this.run.name }),
          download: (index, format) => this.actions.download(index, format),
        }),
      );
    place(this.grid, objects.map((_, at) => this.cards[at].element));
    this.layOut();
    objects.forEach((object, at) => this.cards[at].update(object, run, busy));
  }

  /** As many columns as fit, or one fewer where that leaves a smaller hole in the last row. */
  layOut() {
    const count = this.grid.children.length;
    const most = Math.max(1, Math.min(Math.floor((this.grid.clientWidth + GAP_PX) / ((this.grid.clientWidth < 480 ? PHONE_CARD_PX : CARD_PX) + GAP_PX)), count));
    const hole = (columns) => (columns - (count % columns)) % columns;
    const columns = most > 2 && hole(most - 1) < hole(most) ? most - 1 : most;
    this.grid.style.setProperty("--columns", count < most ? most : columns);
    this.grid.style.maxWidth = count && count < 3 && most === count ? `${count * 360}px` : "";
  }

  drawExtras(made) {
    const { files } = this.run;
    place(this.extras, [files.scene && made > 1 && webglWorks() ? this.sceneBox : null, files.sheet && made > 0 ? this.sheetBox : null]);
    if (files.scene && made > 1 && webglWorks()) {
      this.sceneLink.setAttribute("href", files.scene.url);
      if (this.scene.dataset.model !== files.scene.url || !this.scene.dataset.drawn) show(this.scene, files.scene.url, `${this.run.name}/scene`);
    }
    if (files.sheet && this.sheet.getAttribute("src") !== files.sheet.url) {
      this.sheet.src = files.sheet.url;
      this.sheetLink.href = files.sheet.url;
    }
  }
}

// The right-hand side of the page: asks the server for the state of a job and its run, and shows it. The address holds
// both, so that a reload, a bookmark or a second tab finds them again.

import { BoxEditor } from "./boxes.js";
import { Card } from "./card.js";
import { el, place, save, seconds, text } from "./dom.js";
import { ask } from "./server.js";
import { History } from "./history.js";
import { Status } from "./status.js";
import { show, turnAll, webglWorks } from "./viewer.js";

const CARDS_PER_PAGE = 8;
const CARD_PX = 215, GAP_PX = 14;
const BUSY_MS = 600, IDLE_MS = 4000, OFFLINE_MS = 3000;

class App {
  constructor(element) {
    Object.assign(this, { job: null, run: null, active: [], version: "", page: 0, cards: [], editing: false });
    const address = new URLSearchParams(location.search);
    [this.jobId, this.runName] = [address.get("job"), address.get("run")];
    this.status = new Status({ onCancel: () => this.cancel(), onOpenJob: (id) => this.open(id, null) });
    this.editor = new BoxEditor({ onMake: (edits) => this.goOn(edits) });
    this.history = new History({
      call: (name, data) => this.call(name, data),
      onOpen: (name) => this.open(null, name),
      onResume: (name) => this.submit("resume", { run: name }),
      onDeleted: (name) => this.runName === name && this.open(null, null, false),
    });
    this.build(element);
    this.refresh();
  }

  build(element) {
    this.alert = el("div", { class: "mm-alert", role: "alert", hidden: true });
    this.offline = el("div", { class: "mm-alert", role: "alert", hidden: true }, "The server does not answer. Trying again…");
    this.tabs = {};
    const tab = (name, label) => (this.tabs[name] = el("button", { role: "tab", id: `mm-tab-${name}`, "aria-controls": `mm-${name}`, onclick: () => this.go(name) }, label));
    const bar = el("div", { class: "mm-tabs", role: "tablist", "aria-label": "Results and history" }, tab("result", "Result"), tab("history", "History"));
    bar.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      this.go(this.tabs.result.getAttribute("aria-selected") === "true" ? "history" : "result");
      this.tabs[this.tab].focus();
    });
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
    this.resume = el("button", { class: "mm-button mm-primary", onclick: () => this.submit("resume", { run: this.runName }) }, "Resume");
    this.edit = el("button", { class: "mm-button", onclick: () => ((this.editing = true), this.draw()) }, "Edit objects");
    this.back = el("button", { class: "mm-button", onclick: () => ((this.editing = false), this.draw()) }, "Back to models");
    this.runActions = el("div", { class: "mm-actions" });
    this.head = el("header", { class: "mm-run-head" }, el("div", {}, this.title, this.summary), this.runActions);
    this.notes = el("ul", { class: "mm-notes" });
    this.notesBox = el("details", { class: "mm-notes-box" }, el("summary", {}, "Notes"), this.notes);
    this.grid = el("div", { class: "mm-grid" });
    new ResizeObserver(() => this.layOut()).observe(this.grid);
    this.pager = el("nav", { class: "mm-actions mm-centre", "aria-label": "Pages of objects" });
    this.scene = el("canvas", { class: "mm-model", tabindex: "0", role: "img", "aria-label": "All objects where they are in the photo. Drag or use the arrow keys to turn, + and - to zoom." });
    this.sheet = el("img", { alt: "Contact sheet: every object from four sides", loading: "lazy" });
    this.sheetLink = el("a", { target: "_blank", rel: "noopener", title: "Open the contact sheet" }, this.sheet);
    this.sceneBox = el("article", { class: "mm-card mm-wide mm-scene" }, el("header", {}, el("h3", {}, "Scene")), el("div", { class: "mm-view" }, this.scene), el("div", { class: "mm-actions" }, (this.sceneLink = el("a", { class: "mm-button", download: "scene.glb" }, "Download scene"))));
    this.sheetBox = el("article", { class: "mm-card mm-wide mm-sheet" }, el("header", {}, el("h3", {}, "Contact sheet")), el("div", { class: "mm-view" }, this.sheetLink));
    this.extras = el("div", { class: "mm-extras" });
    this.result = el("div", { id: "mm-result", role: "tabpanel", "aria-labelledby": "mm-tab-result" }, this.empty, this.head, this.notesBox, this.editor.element, this.grid, this.pager, this.extras);
    this.historyPanel = el("div", { id: "mm-history", role: "tabpanel", "aria-labelledby": "mm-tab-history" }, this.history.element);
    element.replaceChildren(this.offline, this.alert, this.status.element, bar, this.result, this.historyPanel);
    this.go("result");
  }

  /** Ask the server. An error for people goes into the alert; the answer is null then. */
  async call(name, data = {}) {
    let answer;
    try {
      answer = await ask(name, data);
    } catch {
      this.complain({ message: "The server does not answer", hint: "Is it still running?" });
      return null;
    }
    if (answer.error) this.complain(answer.error);
    return answer.error ? null : answer;
  }

  complain(error) {
    this.alert.hidden = !error;
    if (error) this.alert.replaceChildren(el("strong", {}, `${error.message}.`), " ", error.hint ?? "", el("button", { class: "mm-icon", "aria-label": "Close", onclick: () => this.complain(null) }, "×"));
  }

  go(name) {
    this.tab = name;
    for (const [each, button] of Object.entries(this.tabs)) {
      button.setAttribute("aria-selected", String(each === name));
      button.tabIndex = each === name ? 0 : -1;
    }
    this.result.hidden = name !== "result";
    this.historyPanel.hidden = name !== "history";
    if (name === "history") this.history.load();
    else this.draw();
  }

  /** Show a job or a run. */
  open(jobId, runName, toResult = true) {
    Object.assign(this, { jobId, runName, job: null, run: null, version: "", page: 0, editing: false });
    this.complain(null);
    const address = new URL(location.href);
    for (const [name, value] of [["job", jobId], ["run", runName]]) value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
    window.history.replaceState(null, "", address);
    if (toResult) this.go("result");
    // On a phone the results are below the form.
    if (jobId && matchMedia("(max-width: 900px)").matches) this.status.element.scrollIntoView({ behavior: "smooth" });
    this.refresh();
  }

  async submit(name, data) {
    this.complain(null);
    const job = await this.call(name, data);
    if (job) this.open(job.id, job.run || null);
  }

  async goOn(edits) {
    await this.submit("go_on", { run: this.runName, edits });
  }

  async cancel() {
    await this.call("cancel", { job: this.jobId });
    this.refresh();
  }

  async download(index, format) {
    const file = await this.call("download", { run: this.runName, index, format });
    if (file) save(file.url, file.name);
  }

  async downloadAll() {
    this.all.disabled = true;
    const file = await this.call("archive", { run: this.runName });
    this.all.disabled = false;
    if (file) save(file.url, file.name);
  }

  setTurning(on) {
    this.turn.setAttribute("aria-pressed", String(on));
    turnAll(on);
  }

  /** Ask for the state, draw it, and ask again later: soon while a job runs. */
  async refresh() {
    clearTimeout(this.timer);
    const asked = (this.asked = (this.asked ?? 0) + 1);
    let wait_ms = IDLE_MS;
    try {
      const now = await ask("status", { job: this.jobId, run: this.runName, version: this.version });
      if (asked !== this.asked) return; // a newer question is under way
      this.offline.hidden = true;
      this.apply(now);
      if (this.job && !this.job.ended) wait_ms = BUSY_MS;
      if (this.jobId && !this.job) this.jobId = null;
    } catch (error) {
      if (asked !== this.asked) return;
      console.error(error);
      this.offline.hidden = false;
      wait_ms = OFFLINE_MS;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), wait_ms);
  }

  apply(now) {
    const before = this.job;
    this.job = now.job && { ...now.job, ended: ["done", "partial", "failed", "cancelled"].includes(now.job.state) };
    this.active = now.active;
    if (now.error) this.complain(now.error);
    if (this.job?.run && this.job.run !== this.runName) {
      this.runName = this.job.run;
      const address = new URL(location.href);
      address.searchParams.set("run", this.runName);
      window.history.replaceState(null, "", address);
    }
    if (now.run) [this.run, this.version] = [now.run, now.version];
    if (!now.version) [this.run, this.version] = [null, ""];
    if (this.job?.ended && before && !before.ended) {
      if (this.job.error) this.complain(this.job.error);
      if (this.tab === "history") this.history.load();
    }
    if (this.job?.ended && !before && this.job.error && !this.run) this.complain(this.job.error);
    this.draw();
  }

  draw() {
    const { job, run } = this;
    this.status.update(job, this.active);
    if (this.tab !== "result") return;
    const busy = job && !job.ended ? job : this.active.find((each) => run && each.run === run.name);
    this.empty.hidden = !!run || !!busy;
    this.head.hidden = this.grid.hidden = this.extras.hidden = !run;
    this.notesBox.hidden = this.pager.hidden = this.editor.element.hidden = true;
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
    text(this.summary, [begun ? `${made} of ${wanted.length} made` : `${run.objects.length} found`, `engine ${run.engine} (${run.engine_reason})`, `seed ${run.settings.seed}`, job?.state === "done" && begun ? `made in ${seconds(job.seconds)}` : ""].filter(Boolean).join(" · "));
    const unfinished = !busy && run.found && !choosing && (!run.finished || run.state === "partial" || run.state === "failed");
    place(this.runActions, [
      unfinished && !run.error && this.resume,
      !busy && !choosing && run.found && this.edit,
      choosing && begun && this.back,
      made > 0 && !choosing && webglWorks() && this.turn,
      made > 0 && this.all,
    ]);
    const notes = [...run.warnings, ...(run.error ? [`${run.error.message}. ${run.error.hint}`] : []), ...(job?.kind === "paint" ? job.notes : [])];
    const shown = notes.join("\n");
    this.notesBox.hidden = notes.length === 0;
    if (this.notesShown !== shown) {
      this.notesShown = shown;
      this.notesBox.open = notes.length <= 3;
      this.notes.replaceChildren(...new Set(notes).size ? [...new Set(notes)].map((note) => el("li", {}, note)) : []);
    }
    this.grid.hidden = this.extras.hidden = choosing;
    if (choosing) return;
    this.drawCards(wanted, busy);
    this.drawExtras(made);
  }

  drawCards(objects, busy) {
    const { run } = this;
    const pages = Math.max(1, Math.ceil(objects.length / CARDS_PER_PAGE));
    this.page = Math.min(this.page, pages - 1);
    const here = objects.slice(this.page * CARDS_PER_PAGE, (this.page + 1) * CARDS_PER_PAGE);
    while (this.cards.length < here.length)
      this.cards.push(
        new Card({
          paintAgain: (index) => this.submit("paint_again", { run: this.runName, index, seed: crypto.getRandomValues(new Uint32Array(1))[0] }),
          retry: () => this.submit("resume", { run: this.runName }),
          download: (index, format) => this.download(index, format),
        }),
      );
    place(this.grid, here.map((_, at) => this.cards[at].element));
    this.layOut();
    here.forEach((object, at) => this.cards[at].update(object, run, busy));
    this.pager.hidden = pages === 1;
    const now = `${this.page}/${pages}`;
    if (this.pagesShown === now) return;
    this.pagesShown = now;
    this.pager.replaceChildren(
      ...[...Array(pages).keys()].map((page) =>
        el("button", { class: "mm-button mm-page", "aria-label": `Page ${page + 1} of ${pages}`, "aria-current": page === this.page ? "page" : null, onclick: () => ((this.page = page), this.draw(), this.grid.scrollIntoView({ block: "start" })) }, String(page + 1)),
      ),
    );
  }

  /** As many columns as fit, or one fewer where that leaves a smaller hole in the last row. */
  layOut() {
    const count = this.grid.children.length;
    const most = Math.max(1, Math.min(Math.floor((this.grid.clientWidth + GAP_PX) / (CARD_PX + GAP_PX)), count));
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

/** Called by the page when Gradio has put our element in place. */
export function start(element, props, watch) {
  const app = new App(element.querySelector(".mm-app"));
  watch("value", () => {
    if (props.value?.job) app.open(props.value.job, null);
    if (props.value?.error) app.complain(props.value.error);
  });
  return app;
}

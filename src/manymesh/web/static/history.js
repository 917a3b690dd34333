// The runs in the output folder: open, resume, delete.

import { ask, el, place } from "./dom.js";

const WORDS = { done: "Done", partial: "Partly done", failed: "Failed", cancelled: "Stopped", running: "Unfinished", damaged: "Damaged" };

export class History {
  constructor({ call, onOpen, onResume, onDeleted }) {
    Object.assign(this, { call, onOpen, onResume, onDeleted, page: 0 });
    this.list = el("ul", { class: "mm-runs", "aria-label": "Earlier runs, newest first" });
    this.note = el("p", { class: "mm-hint" });
    this.older = el("button", { class: "mm-button", onclick: () => this.load(this.page + 1) }, "Older");
    this.newer = el("button", { class: "mm-button", onclick: () => this.load(this.page - 1) }, "Newer");
    this.element = el("div", {}, this.note, this.list, el("div", { class: "mm-actions mm-centre" }, this.newer, this.older));
  }

  async load(page = this.page) {
    const answer = await this.call("runs", { page });
    if (!answer) return;
    if (answer.page >= answer.pages && answer.page > 0) return this.load(answer.pages - 1);
    this.page = answer.page;
    this.note.textContent = answer.total
      ? `${answer.total} ${answer.total === 1 ? "run" : "runs"}${answer.pages > 1 ? `, page ${answer.page + 1} of ${answer.pages}` : ""}`
      : "No runs yet. What you make is kept here.";
    this.newer.hidden = answer.page === 0;
    this.older.hidden = answer.page >= answer.pages - 1;
    place(this.list, answer.runs.map((run) => this.row(run)));
  }

  row(run) {
    const name = run.photo ?? run.name;
    const when = run.created ? new Date(run.created).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : run.name;
    const detail = run.error ?? `${run.made} of ${run.objects} made · ${run.labels.join(", ")}${run.objects > run.labels.length ? "…" : ""} · ${run.engine}`;
    return el(
      "li",
      { "data-run": run.name },
      run.thumb ? el("img", { src: run.thumb, alt: "", loading: "lazy" }) : el("span", { class: "mm-nothumb" }),
      el("div", { class: "mm-about" }, el("strong", {}, name), el("span", { class: "mm-meta" }, when), el("span", { class: "mm-meta" }, detail)),
      el("span", { class: "mm-badge", "data-state": run.state }, WORDS[run.state] ?? run.state),
      el(
        "div",
        { class: "mm-actions" },
        run.error ? null : el("button", { class: "mm-button", "aria-label": `Open ${name}, ${when}`, onclick: () => this.onOpen(run.name) }, "Open"),
        run.error || (run.finished && run.state === "done") ? null : el("button", { class: "mm-button", "aria-label": `Resume ${name}, ${when}`, onclick: () => this.onResume(run.name) }, "Resume"),
        el("button", { class: "mm-button mm-quiet", "aria-label": `Delete ${name}, ${when}`, onclick: () => this.remove(run, name, when) }, "Delete"),
      ),
    );
  }

  async remove(run, name, when) {
    if (!(await ask(`Delete “${name}”?`, `The run of ${when} and all its files are removed for good.`, "Delete it"))) return;
    if (await this.call("delete", { run: run.name })) this.onDeleted(run.name);
    this.load();
  }
}

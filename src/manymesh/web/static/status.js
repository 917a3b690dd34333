// The strip that says what is going on: place in line, stage, object, time left, cancel; what else the server does.

import { el, place, seconds, text } from "./dom.js";

const ENDED = { done: "Done", partial: "Done, with failures", failed: "Failed", cancelled: "Stopped" };
const DOING = { find: "Looking for objects in", make: "Making", "go-on": "Making", resume: "Resuming", paint: "Painting again:" };

export class Status {
  constructor({ onCancel, onOpenJob }) {
    this.onOpenJob = onOpenJob;
    this.title = el("strong", {});
    this.words = el("span", { class: "mm-meta" });
    this.spoken = el("p", { class: "mm-unseen", role: "status" });
    this.left = el("span", { class: "mm-meta mm-left" });
    this.fill = el("div", { class: "mm-fill" });
    this.bar = el("div", { class: "mm-bar", role: "progressbar", "aria-label": "Progress of the whole job", "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.cancel = el("button", { class: "mm-button", onclick: onCancel }, "Cancel");
    this.job = el("div", { class: "mm-status" }, el("div", { class: "mm-status-text" }, this.title, this.words, this.left), this.cancel, this.bar);
    this.others = el("div", { class: "mm-others" });
    this.element = el("div", {}, this.spoken, this.job, this.others);
  }

  update(job, active) {
    this.job.hidden = !job || job.state === "done"; // a run that is done speaks for itself
    if (job) this.updateJob(job);
    const others = active.filter((each) => each.id !== job?.id);
    const now = JSON.stringify(others.map((each) => [each.id, each.state, each.place]));
    if (now === this.shown) return;
    this.shown = now;
    place(
      this.others,
      others.slice(0, 3).map((each) =>
        el(
          "button",
          { class: "mm-chip", onclick: () => this.onOpenJob(each.id) },
          each.state === "queued" ? `“${each.title}” waits, ${each.place} before it` : `“${each.title}” is being made`,
        ),
      ),
    );
    if (others.length > 3) this.others.append(el("span", { class: "mm-meta" }, `and ${others.length - 3} more`));
  }

  updateJob(job) {
    const working = job.state === "running" || job.state === "stopping";
    this.job.dataset.state = job.state;
    text(this.title, job.state in ENDED ? ENDED[job.state] : `${DOING[job.kind]} “${job.title}”`);
    const where = job.total > 1 && job.object ? `${Math.min(job.done + 1, job.total)} of ${job.total}` : "";
    const line = {
      queued: job.place === 1 ? "Waiting: 1 job is before yours" : `Waiting: ${job.place} jobs are before yours`,
      running: [job.words, where].filter(Boolean).join(" · "),
      stopping: "Stopping; what is done is kept",
      cancelled: "What is done is kept. Resume to go on.",
    };
    text(this.words, line[job.state] ?? (job.seconds === null ? "" : `in ${seconds(job.seconds)}`));
    text(this.spoken, `${this.title.textContent}: ${this.words.textContent}`);
    text(this.left, job.left_s === null ? (job.state === "running" && job.seconds > 2 ? seconds(job.seconds) : "") : `about ${seconds(Math.max(job.left_s, 1))} left`);
    this.cancel.hidden = job.state in ENDED;
    this.cancel.disabled = job.state === "stopping";
    this.bar.hidden = !working;
    const percent = Math.round(job.overall * 100);
    this.fill.style.width = `${percent}%`;
    this.bar.setAttribute("aria-valuenow", String(percent));
  }
}

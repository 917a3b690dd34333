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
    this.tell = el("button", { class: "mm-button", hidden: true, onclick: () => Notification.requestPermission().then(() => (this.tell.hidden = true)) }, "Tell me when it is done");
    this.job = el("div", { class: "mm-status" }, el("div", { class: "mm-status-text" }, this.title, this.words, this.left), el("div", { class: "mm-actions" }, this.tell, this.cancel), this.bar);
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

  /** The tab's title counts, and a job that ends while nobody looks says so, if the person wanted to be told. */
  announce(job, run, before) {
    const name = job?.title ?? run?.photo.name ?? "";
    const state = !job ? "" : job.state === "queued" ? "waiting" : job.ended ? ENDED[job.state] : this.percent;
    document.title = [state, name, "manymesh"].filter(Boolean).join(" · ");
    if (job?.ended && before && !before.ended && document.hidden && window.Notification?.permission === "granted")
      new Notification(`${ENDED[job.state]}: ${job.title}`, { tag: job.id });
  }

  updateJob(job) {
    const working = job.state === "running" || job.state === "stopping";
    this.job.dataset.state = job.state;
    text(this.title, job.state in ENDED ? ENDED[job.state] : `${DOING[job.kind]} “${job.title}”`);
    const line = {
      queued: job.place === 1 ? "Waiting: 1 job is before yours" : `Waiting: ${job.place} jobs are before yours`,
      running: job.words,
      stopping: "Stopping; what is done is kept",
      cancelled: "What is done is kept. Resume to go on.",
    };
    text(this.words, line[job.state] ?? (job.seconds === null ? "" : `in ${seconds(job.seconds)}`));
    text(this.spoken, `${this.title.textContent}: ${this.words.textContent}`);
    const elapsed = job.state === "running" && job.seconds > 2 ? `${seconds(job.seconds)} so far` : "";
    text(this.left, job.left_s === null ? elapsed : `about ${seconds(Math.max(job.left_s, 1))} left`);
    this.tell.hidden = !working || !("Notification" in window) || Notification.permission !== "default";
    this.cancel.hidden = job.state in ENDED;
    this.cancel.disabled = job.state === "stopping";
    this.bar.hidden = !working;
    const percent = Math.round(job.overall * 100);
    this.fill.style.width = `${percent}%`;
    this.percent = working ? `${percent} %` : "";
    this.bar.setAttribute("aria-valuenow", String(percent));
  }
}

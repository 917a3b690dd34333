// The page: asks the server for the state of a job and its run, and shows it. The address holds both, so that a reload,
// a bookmark, a second tab or the browser's Back button finds them again.

import { el, save } from "./dom.js";
import { Engines } from "./engines.js";
import { Form } from "./form.js";
import { History } from "./history.js";
import { Result } from "./result.js";
import { cutByHand } from "./mask.js";
import { ask, upload } from "./server.js";
import { Status } from "./status.js";

const BUSY_MS = 600, IDLE_MS = 4000, OFFLINE_MS = 3000;
const ENDED = ["done", "partial", "failed", "cancelled"];
const TABS = { result: "Result", history: "History", engines: "Engines" };

class App {
  constructor(element, form) {
    Object.assign(this, { job: null, run: null, active: [], version: "", tab: "result", ownJobs: new Set(), drafts: new Map(), keeping: null });
    const downloading = { fetch: (models) => this.fetch(models), stopFetching: () => this.call("stop_fetching").then(() => this.refresh()) };
    this.engines = new Engines(downloading);
    this.form = new Form(form, { ...downloading, onSubmit: (kind) => this.make(kind), onChange: () => this.draw(), onComplain: (error) => this.complain(error) });
    this.status = new Status({ onCancel: () => this.cancel(), onOpenJob: (id) => this.open(id, null) });
    this.result = new Result({
      submit: (name, data) => this.submit(name, data),
      goOn: (edits) => this.goOn(edits),
      keepEdits: (run, edits) => this.keepEdits(run, edits),
      otherEngines: (run) => (this.about?.engines ?? []).filter((each) => each.ready && each.name !== run.engine).map((each) => each.name),
      withEngine: (run, object, engine) => this.withEngine(run, object, engine),
      cutByHand: (run, object) => this.cutByHand(run, object),
      inWords: (settings) => this.form.fields?.inWords(settings) ?? "",
      download: (index, format) => this.download("download", { run: this.runName, index, format }),
      downloadAll: () => this.download("archive", { run: this.runName }),
    });
    this.history = new History({
      call: (name, data) => this.call(name, data),
      onOpen: (name) => this.open(null, name),
      onResume: (name) => this.submit("resume", { run: name }),
      onDeleted: (name) => this.runName === name && this.open(null, null, "history"),
    });
    this.build(element);
    addEventListener("popstate", () => this.readAddress());
    this.readAddress();
    this.start();
  }

  build(element) {
    this.alert = el("div", { class: "mm-alert", role: "alert", hidden: true });
    this.offline = el("div", { class: "mm-alert", role: "alert", hidden: true }, "The server does not answer. Trying again…");
    this.tabs = Object.fromEntries(
      Object.entries(TABS).map(([name, label]) => [name, el("button", { role: "tab", id: `mm-tab-${name}`, "aria-controls": `mm-${name}`, onclick: () => this.go(name) }, label)]),
    );
    const bar = el("div", { class: "mm-tabs", role: "tablist", "aria-label": "Views" }, ...Object.values(this.tabs));
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const names = Object.keys(TABS);
      this.go(names[(names.indexOf(this.tab) + step + names.length) % names.length]);
      this.tabs[this.tab].focus();
    });
    const panel = (name, content) => el("div", { id: `mm-${name}`, role: "tabpanel", "aria-labelledby": `mm-tab-${name}` }, content);
    this.panels = { result: this.result.element, history: panel("history", this.history.element), engines: panel("engines", this.engines.element) };
    element.replaceChildren(this.offline, this.alert, this.status.element, bar, ...Object.values(this.panels));
  }

  /** Ask what the form may hold, and which engines there are. */
  start() {
    this.untilAnswered("start", (about) => {
      this.form.start(about);
      if (this.run) this.form.showRun(this.run);
    });
    this.askEngines();
  }

  askEngines() {
    return this.untilAnswered("engines", (about) => this.showEngines(about));
  }

  /** Ask, and again later where the server does not answer; an error for people is told once. */
  async untilAnswered(name, take, told = false) {
    let answer = null;
    try {
      answer = await ask(name);
    } catch {
      // The answer to the question for the state tells of it.
    }
    if (answer && !answer.error) return take(answer);
    if (answer && !told) this.complain(answer.error);
    setTimeout(() => this.untilAnswered(name, take, told || !!answer), OFFLINE_MS);
  }

  showEngines(about) {
    this.about = about;
    this.engines.show(about);
    this.form.showEngines(about);
    const words = about.auto.engine ? `Engine ${about.auto.engine}` : "No engine can run here";
    document.getElementById("mm-engine").replaceChildren(el("button", { class: "mm-link", onclick: () => this.go("engines") }, words));
    this.drawDownload();
  }

  async fetch(models) {
    this.complain(null);
    if (await this.call("fetch", { models })) this.refresh();
  }

  drawDownload() {
    this.engines.update(this.downloading);
    this.form.updateDownload(this.downloading);
  }

  /** Ask the server. An error for people goes into the alert; the answer is null then. */
  async call(name, data = {}) {
    const answer = await this.tried(name, data);
    if (answer.error) this.complain(answer.error);
    return answer.error ? null : answer;
  }

  async tried(name, data) {
    try {
      return await ask(name, data);
    } catch {
      return { error: { code: "offline", message: "The server does not answer, so nothing was done", hint: "The page tries again by itself; press it once more when the server is back." } };
    }
  }

  complain(error) {
    this.alert.hidden = !error;
    if (error) this.alert.replaceChildren(el("strong", {}, sentence(error.message)), " ", error.hint ?? "", el("button", { class: "mm-icon", "aria-label": "Close", onclick: () => this.complain(null) }, "×"));
  }

  /** Where the page is, as its address says: after a reload, and after Back and Forward. */
  readAddress() {
    const address = new URLSearchParams(location.search);
    this.show(address.get("job"), address.get("run"));
    this.goTo(address.get("view") in TABS ? address.get("view") : "result");
    this.refresh();
  }

  writeAddress(how = "pushState") {
    const address = new URL(location.href);
    for (const [name, value] of [["job", this.jobId], ["run", this.runName], ["view", this.tab === "result" ? null : this.tab]])
      value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
    if (address.href !== location.href) window.history[how](null, "", address);
  }

  /** Show another view, as a person asked. */
  go(name) {
    this.goTo(name);
    this.writeAddress();
  }

  goTo(name) {
    this.tab = name;
    for (const [each, button] of Object.entries(this.tabs)) {
      button.setAttribute("aria-selected", String(each === name));
      button.tabIndex = each === name ? 0 : -1;
      this.panels[each].hidden = each !== name;
    }
    if (name === "history") this.history.load();
    this.draw();
  }

  show(jobId, runName) {
    Object.assign(this, { jobId, runName, job: null, run: null, version: "" });
    this.result.forget();
    this.complain(null);
  }

  /** Show a job or a run, as a person asked. */
  open(jobId, runName, tab = "result") {
    this.show(jobId, runName);
    this.goTo(tab);
    this.writeAddress();
    if (jobId && matchMedia("(max-width: 900px)").matches) scrollTo({ top: 0 });
    this.refresh();
  }

  async submit(name, data) {
    this.complain(null);
    const job = await this.call(name, data);
    if (job) this.openJob(job);
    return job;
  }

  openJob(job) {
    this.form.setFolded(true);
    this.open(job.id, job.run || null);
  }

  /** Make what the form shows, or find its objects: a job for every photo, of which the first is shown. */
  async make(kind) {
    this.complain(null);
    // What was found in this very photo is made as it was edited.
    if (kind === "make" && this.result.choosing && this.form.shows(this.run) && !this.form.findingChanged(this.run)) return this.result.make();
    const photos = await this.form.photos.ready();
    if (!photos.length) {
      if (!this.form.photos.items.length && this.alert.hidden) this.complain({ message: "No photo was given", hint: "Choose, paste or take one first." });
      return;
    }
    const settings = this.form.values(), made = [];
    let first = null, error = null;
    for (const photo of photos) {
      const answer = await this.sent(kind, photo, settings);
      if (answer.error) error = answer.error;
      else {
        made.push(photo.item);
        first ??= answer;
      }
    }
    if (first) {
      // Photos that were refused stay, to be sent again; so do those that were chosen meanwhile.
      const all = this.form.photos.items.every((item) => made.includes(item));
      if (all) this.form.photos.used = true;
      else made.forEach((item) => this.form.photos.remove(item));
      this.ownJobs.add(first.id);
      this.openJob(first);
    }
    if (error) this.complain(error);
  }

  /** The job of one photo, or {error}. A photo that the server has lost meanwhile is sent once more. */
  async sent(kind, { item, given }, settings) {
    const answer = await this.tried(kind, { ...given, settings });
    if (answer.error?.code !== "input" || !item.file) return answer;
    this.form.photos.send(item);
    return (await item.sent) ? this.tried(kind, { photo: item.address, settings }) : answer;
  }

  /** Make the found objects as edited, with the settings that the form shows. */
  async goOn(edits) {
    if (this.going || !this.form.fields) return; // two clicks make one job
    this.going = true;
    this.draw();
    try {
      const run = this.runName, unkept = this.drafts.delete(run);
      const settings = this.form.complete();
      await this.keeping; // what is kept after the job has begun would outlive it
      if (!(await this.submit("go_on", { run, edits, settings })) && unkept) this.keepEdits(run, edits);
    } finally {
      this.going = false;
      this.draw();
    }
  }

  /** Keep the edits with their run, the newest last, so that a reload finds them. */
  keepEdits(run, edits) {
    const send = async () => {
      while (this.drafts.has(run)) {
        const newest = this.drafts.get(run);
        this.drafts.delete(run);
        await this.call("keep_edits", { run, edits: newest });
      }
      this.keeping = null;
    };
    this.drafts.set(run, edits);
    this.keeping ??= send();
  }

  /** Make one object of a run with another engine, as a run of its own: the first stays to compare with. */
  async withEngine(run, object, engine) {
    const { views, weights_dir, ...settings } = run.settings;
    await this.submit("make", { run: run.name, settings: { ...settings, engine, stages: [], prompt: null, boxes: [`${object.box.join(",")}:${object.label}`] } });
  }

  /** Have one object cut out by hand, and made from that. */
  async cutByHand(run, object) {
    try {
      const mask = await cutByHand(object);
      if (mask) await this.submit("cut_out", { run: run.name, index: object.index, mask: await upload(new File([mask], "mask.png", { type: "image/png" })) });
    } catch (error) {
      this.complain({ message: "The cut-out could not be kept", hint: error.message });
    }
  }

  async cancel() {
    await this.call("cancel", { job: this.jobId });
    this.refresh();
  }

  async download(name, data) {
    const file = await this.call(name, data);
    if (file) save(file.url, file.name);
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
      if ((this.job && !this.job.ended) || this.downloading?.state === "running") wait_ms = BUSY_MS;
      if (this.jobId && !this.job) this.jobId = null;
    } catch (error) {
      if (asked !== this.asked) return;
      this.offline.replaceChildren(...(error.status === 401 ? ["You are logged out. ", el("a", { href: "./" }, "Log in again")] : ["The server does not answer. Trying again…"]));
      this.offline.hidden = false;
      wait_ms = OFFLINE_MS;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), wait_ms);
  }

  apply(now) {
    const before = this.job;
    this.job = now.job && { ...now.job, ended: ENDED.includes(now.job.state) };
    this.active = now.active;
    const was = this.downloading;
    this.downloading = now.download;
    if (now.download?.state === "done" && was?.state !== "done") this.askEngines();
    else if (now.download) this.drawDownload();
    if (now.error) this.complain(now.error);
    if (this.job?.run && this.job.run !== this.runName) {
      this.runName = this.job.run;
      this.writeAddress("replaceState");
    }
    if (now.run) {
      [this.run, this.version] = [now.run, now.version];
      // What this page has asked for stands in its form already, perhaps with newer changes for the next time.
      if (this.ownJobs.has(this.jobId)) this.form.shown = this.run.name;
      this.form.showRun(this.run);
    }
    if (!now.version) [this.run, this.version] = [null, ""];
    if (this.job?.ended && before && !before.ended) {
      if (this.job.error) this.complain(this.job.error);
      if (this.tab === "history") this.history.load();
    }
    if (this.job?.ended && !before && this.job.error && !this.run) this.complain(this.job.error);
    this.draw();
    this.status.announce(this.job, this.run, before);
  }

  draw() {
    const { job, run } = this;
    this.status.update(job, this.active);
    this.result.setReady(!!this.form.fields && !this.going);
    if (this.tab !== "result") return;
    const busy = job && !job.ended ? job : this.active.find((each) => run && each.run === run.name);
    this.result.draw(run, job, busy);
    if (run) this.result.setStale(this.form.shows(run) && this.form.findingChanged(run));
  }
}

/** With one full stop at its end. */
const sentence = (words) => (/[.!?…]$/.test(words) ? words : `${words}.`);

new App(document.getElementById("mm-app"), document.getElementById("mm-form"));

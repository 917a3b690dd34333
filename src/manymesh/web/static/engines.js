// The engines: what each is good at, what it needs, who may use it, and whether it is ready here.

import { bytes, DownloadOffer } from "./download.js";
import { el, text } from "./dom.js";

export class Engines {
  constructor(actions) {
    this.actions = actions;
    this.auto = el("p", {});
    this.list = el("div", { class: "mm-ladder" });
    this.element = el("div", {}, this.auto, this.list);
    this.offers = new Map();
  }

  show(about) {
    this.about = about;
    text(this.auto, about.auto.engine ? `The choice “auto” takes ${about.auto.engine}: ${about.auto.why}.` : about.auto.why);
    this.list.replaceChildren(...about.engines.map((engine) => this.card(engine)));
  }

  card(engine) {
    if (!this.offers.has(engine.name)) this.offers.set(engine.name, new DownloadOffer(this.actions));
    const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
    return el(
      "article",
      { class: "mm-card mm-engine", "data-engine": engine.name },
      el("header", {}, el("h2", {}, engine.name), el("span", { class: "mm-badge", "data-ready": String(engine.ready) }, engine.ready ? "Ready" : "Not ready")),
      engine.lacks ? el("p", { class: "mm-problem" }, `Not ready here: ${engine.lacks}.`) : null,
      el(
        "dl",
        {},
        ...fact("Good at", engine.good),
        ...fact("Bad at", engine.bad),
        ...fact("Download", engine.bytes ? bytes(engine.bytes) : "nothing"),
        ...fact("Needs", engine.needs),
        ...fact("Licence", engine.licence),
        ...fact("For", engine.users),
      ),
      this.offers.get(engine.name).element,
    );
  }

  update(download) {
    for (const engine of this.about?.engines ?? []) this.offers.get(engine.name).update(engine.download, download, this.about.may_download);
  }
}

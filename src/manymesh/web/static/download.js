// A download of networks: its size, licence and source, the button that agrees to it, and its progress.

import { el, place, text } from "./dom.js";

/** 157_000_000 -> "157 MB". */
export const bytes = (value) => (value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(value / 1e6))} MB`);

export class DownloadOffer {
  /** @param actions fetch(models), stopFetching() */
  constructor(actions) {
    this.terms = el("p", { class: "mm-hint" });
    this.get = el("button", { type: "button", class: "mm-button mm-primary", onclick: () => actions.fetch(this.offer.models) });
    this.stop = el("button", { type: "button", class: "mm-button", onclick: () => actions.stopFetching() }, "Stop");
    this.fill = el("div", { class: "mm-fill" });
    this.bar = el("div", { class: "mm-bar", role: "progressbar", "aria-label": "Download", "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.words = el("p", { class: "mm-hint", role: "status" });
    this.element = el("div", { class: "mm-offer" }, this.terms, this.get, this.bar, this.words, this.stop);
  }

  /** @param offer what can be fetched, or null; @param download the server's last one; @param allowed whether it may be. */
  update(offer, download, allowed) {
    const mine = download && (offer ?? this.offer)?.models.some((each) => download.models.includes(each));
    const running = mine && download.state === "running";
    this.element.hidden = !offer && !running;
    if (offer) this.offer = offer;
    if (this.element.hidden) return;
    const shown = JSON.stringify(this.offer);
    if (this.shown !== shown) {
      this.shown = shown;
      const licences = this.offer.licences.flatMap((each, at) => [at ? " and " : "", el("a", { href: each.url, target: "_blank", rel: "noopener noreferrer" }, each.name)]);
      place(this.terms, []);
      this.terms.replaceChildren(`${bytes(this.offer.bytes)} from ${this.offer.sources.join(", ")}, under the `, ...licences, ". It stays on this machine. Downloading it means that you agree to the licence.");
      text(this.get, `Agree and download ${bytes(this.offer.bytes)}`);
    }
    this.get.hidden = running;
    this.get.disabled = !allowed || download?.state === "running";
    this.bar.hidden = this.stop.hidden = !running;
    const share = download?.total ? download.done / download.total : 0;
    this.fill.style.width = `${100 * share}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    text(this.words, this.line(mine && download, allowed));
    this.words.hidden = !this.words.textContent;
  }

  line(download, allowed) {
    if (!allowed) return "Downloads are switched off, because others than this machine's user can reach this server. Ask whoever runs it.";
    if (!download) return "";
    if (download.state === "running") return download.total ? `${bytes(download.done)} of ${bytes(download.total)}` : "Asking how much there is…";
    if (download.state === "stopped") return "Stopped. What has come is kept; the next download goes on with it.";
    return download.state === "failed" ? `The download failed: ${download.error}` : "";
  }
}

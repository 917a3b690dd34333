// The photos to make: chosen, dropped anywhere on the page, pasted, or taken with the camera. Each is sent at once, so
// that a file that is no photo is told of before anything is made of it.

import { takePhoto } from "./camera.js";
import { el, place, text } from "./dom.js";
import { upload } from "./server.js";

const TEXT_FIELDS = 'textarea, input:not([type="checkbox"]):not([type="radio"]):not([type="file"])';

export class Photos {
  constructor({ onChange, onComplain }) {
    Object.assign(this, { onChange, onComplain, items: [], used: false });
    this.input = el("input", { type: "file", class: "mm-unseen", accept: "image/*,.dng,.nef,.cr2,.arw,.heic", multiple: true, tabindex: "-1", "aria-label": "Photo files" });
    this.input.addEventListener("change", () => (this.add([...this.input.files]), (this.input.value = "")));
    const choose = () => this.input.click();
    this.drop = el("button", { type: "button", class: "mm-drop", onclick: choose }, el("strong", {}, "Choose a photo"), el("span", {}, "or drop it anywhere, or paste it"));
    this.list = el("div", { class: "mm-shots" });
    this.note = el("p", { class: "mm-hint", hidden: true });
    this.again = el("button", { type: "button", class: "mm-button", onclick: choose }, "Choose");
    this.paste = el("button", { type: "button", class: "mm-button", onclick: () => this.pasteAsked() }, "Paste");
    this.camera = el("button", { type: "button", class: "mm-button", onclick: () => this.cameraAsked() }, "Camera");
    this.element = el("div", { id: "mm-photo", role: "group", "aria-label": "Photo" }, this.input, this.drop, this.list, this.note, el("div", { class: "mm-actions" }, this.again, this.paste, this.camera));
    this.listen();
    this.draw();
  }

  listen() {
    const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const over = (on) => document.documentElement.classList.toggle("mm-dragging", on);
    addEventListener("dragover", (event) => holdsFiles(event) && (event.preventDefault(), over(true)));
    addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
    addEventListener("drop", (event) => {
      over(false);
      if (!holdsFiles(event)) return;
      event.preventDefault(); // or the browser would open the file in the page's place
      this.add([...event.dataTransfer.files]);
    });
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length) event.preventDefault();
      else if (event.target.closest?.(TEXT_FIELDS)) return;
      if (files.length) this.add(files);
      else this.onComplain({ message: "The clipboard holds no picture", hint: "Copy a picture first, or choose a file." });
    });
  }

  /** Take these files too; in the place of the photos that were made already. */
  add(files) {
    if (!files.length) return;
    this.onComplain(null);
    if (this.used) this.clear();
    for (const file of files) this.send({ name: file.name.replace(/\.[^.]+$/, "") || "photo", file, shown: URL.createObjectURL(file) });
  }

  /** Show the photo of a run, to make it again. */
  showRun(run) {
    if (this.items.length === 1 && this.items[0].run === run.name) return;
    if (this.items.length && !this.used) return; // the person has chosen others since
    this.clear();
    this.items = [{ name: run.photo.name, run: run.name, shown: run.photo.url, sent: Promise.resolve(true) }];
    this.used = true;
    this.draw();
  }

  send(item) {
    item.sent = upload(item.file).then(
      (address) => ((item.address = address), true),
      (error) => {
        this.remove(item);
        this.onComplain({ message: `“${item.name}”: ${error.message}`, hint: "" });
        return false;
      },
    );
    if (!this.items.includes(item)) this.items.push(item);
    this.draw();
    item.sent.then(() => this.draw());
  }

  /** What each photo is called on the server, once all have arrived: [{photo}] or [{run}]. */
  async ready() {
    const here = [...this.items];
    await Promise.all(here.map((item) => item.sent));
    return here.filter((item) => this.items.includes(item)).map((item) => ({ item, given: item.run ? { run: item.run } : { photo: item.address } }));
  }

  remove(item) {
    if (item.file) URL.revokeObjectURL(item.shown);
    this.items = this.items.filter((each) => each !== item);
    this.draw();
  }

  clear() {
    this.items.forEach((item) => item.file && URL.revokeObjectURL(item.shown));
    this.items = [];
    this.used = false;
    this.draw();
  }

  draw() {
    const count = this.items.length;
    this.drop.hidden = count > 0;
    this.again.hidden = count === 0;
    this.list.hidden = count === 0;
    this.list.classList.toggle("mm-many", count > 1);
    this.note.hidden = count < 2;
    text(this.note, `${count} photos make ${count} runs, one after the other.`);
    place(this.list, this.items.map((item) => (item.element ??= this.shot(item))));
    this.items.forEach((item) => item.element.classList.toggle("mm-sending", !item.address && !item.run));
    this.onChange(this);
  }

  shot(item) {
    // What a browser cannot show (camera raw, say) is told by its name.
    const picture = el("img", { src: item.shown, alt: item.name, draggable: false });
    picture.addEventListener("error", () => picture.replaceWith(el("span", { class: "mm-nothumb" }, item.name)));
    return el("figure", {}, picture, el("button", { type: "button", class: "mm-icon mm-remove", "aria-label": `Remove the photo ${item.name}`, onclick: () => (this.remove(item), (this.items.length ? this.again : this.drop).focus()) }, "×"));
  }

  async pasteAsked() {
    try {
      for (const entry of await navigator.clipboard.read()) {
        const type = entry.types.find((each) => each.startsWith("image/"));
        if (type) return this.add([new File([await entry.getType(type)], `pasted.${type.slice(6)}`, { type })]);
      }
      this.onComplain({ message: "The clipboard holds no picture", hint: "Copy a picture first, or choose a file." });
    } catch {
      this.onComplain({ message: "The browser does not give the clipboard to the page", hint: "Press Ctrl+V (on a Mac, ⌘V) instead." });
    }
  }

  async cameraAsked() {
    try {
      const file = await takePhoto();
      if (file) this.add([file]);
    } catch {
      this.onComplain({ message: "The camera cannot be used", hint: "Allow it for this page in the browser, or choose a file." });
    }
  }
}

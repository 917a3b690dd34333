// The settings as form fields, made from what the server says of each; see fields.py.

import { el } from "./dom.js";

export class Fields {
  /** @param fields as the server describes them; @param onChange called with a name when the person changes a value. */
  constructor(fields, onChange) {
    this.all = new Map(fields.map((field) => [field.name, { ...field, ...CONTROLS[field.kind](field) }]));
    for (const field of this.all.values()) {
      field.element = row(field);
      field.element.addEventListener("input", () => onChange(field.name));
      field.write(field.default);
    }
  }

  get(name) {
    return this.all.get(name)?.read();
  }

  /** What the fields hold, as settings; a field that was emptied means its default. */
  values() {
    const filled = [...this.all.values()].map((field) => [field.name, field.read()]);
    return Object.fromEntries(filled.filter(([, value]) => value !== "" && value !== null));
  }

  /** As ``values``, but with the default of every field that was emptied: for a run that has values of its own. */
  complete() {
    const filled = [...this.all.values()].map((field) => [field.name, field.read(), field.default]);
    return Object.fromEntries(filled.map(([name, value, usual]) => [name, value === "" || value === null ? usual : value]));
  }

  /** The values that differ from the defaults. */
  changed() {
    return Object.fromEntries(Object.entries(this.values()).filter(([name, value]) => !same(value, this.all.get(name).default)));
  }

  /** A run's settings in words: those that are not the usual ones. */
  inWords(settings) {
    const told = [...this.all.values()].filter((field) => field.name !== "prompt" && field.name in settings && !same(settings[field.name], field.default));
    return told.map((field) => phrase(field, settings[field.name])).join(", ");
  }

  show(values) {
    for (const [name, value] of Object.entries(values)) {
      const field = this.all.get(name);
      try {
        field?.write(value);
      } catch {
        field.write(field.default); // kept by another version of the page, in another form
      }
    }
  }

  reset() {
    for (const field of this.all.values()) field.write(field.default);
  }
}

/** Whether two values of a field are the same setting: fields hold text, the server sends numbers. */
export const same = (one, other) => JSON.stringify(plain(one)) === JSON.stringify(plain(other));
const plain = (value) => (Array.isArray(value) ? value.map(String) : value === "" || value === undefined || value === null ? null : typeof value === "boolean" ? value : String(value));

function phrase(field, value) {
  if (field.kind === "switch") return `${field.label.toLowerCase()} ${value ? "on" : "off"}`;
  const shown = Array.isArray(value) ? value.join(" ") : typeof value === "number" ? value.toLocaleString("en") : value;
  return `${field.label.toLowerCase()} ${shown}`;
}

const id = (field) => `mm-field-${field.name}`;

const CONTROLS = {
  switch: (field) => {
    const control = el("input", { type: "checkbox", id: id(field) });
    return { control, read: () => control.checked, write: (value) => (control.checked = !!value) };
  },
  choice: (field) => {
    const empty = field.default === null ? [el("option", { value: "" }, "as usual")] : [];
    const control = el("select", { id: id(field) }, ...empty, ...field.choices.map((choice) => el("option", { value: choice }, choice)));
    return { control, read: () => control.value, write: (value) => (control.value = value ?? "") };
  },
  choices: (field) => {
    const boxes = field.choices.map((choice) => el("input", { type: "checkbox", value: choice, id: `${id(field)}-${choice}` }));
    const control = el("div", { class: "mm-choices" }, ...boxes.map((box) => el("label", { for: box.id }, box, ` ${box.value.toUpperCase()}`)));
    return { control, read: () => boxes.filter((box) => box.checked).map((box) => box.value), write: (value) => boxes.forEach((box) => (box.checked = (value ?? []).includes(box.value))) };
  },
  number: (field) => {
    const control = el("input", { type: "text", inputmode: "decimal", id: id(field), placeholder: field.default === null ? "as the model has it" : String(field.default), autocomplete: "off" });
    return { control, read: () => control.value.trim(), write: (value) => (control.value = value ?? "") };
  },
  words: (field) => {
    const control = el("input", { type: "text", id: id(field), placeholder: "with commas between", autocomplete: "off" });
    return { control, read: () => control.value.split(",").map((word) => word.trim()).filter(Boolean), write: (value) => (control.value = (value ?? []).join(", ")) };
  },
  text: (field) => {
    const control = el("input", { type: "text", id: id(field), autocomplete: "off" });
    return { control, read: () => control.value.trim(), write: (value) => (control.value = value ?? "") };
  },
};

function row(field) {
  const info = el("p", { class: "mm-hint", id: `${id(field)}-info` }, field.info);
  const why = el("p", { class: "mm-hint mm-why", hidden: true });
  field.why = why;
  if (field.kind === "choices") return el("fieldset", { class: "mm-field" }, el("legend", {}, field.label), field.control, info, why);
  field.control.setAttribute("aria-describedby", info.id);
  const label = el("label", { for: id(field) }, field.label);
  const parts = field.kind === "switch" ? [el("div", { class: "mm-switch" }, field.control, label)] : [label, field.control];
  return el("div", { class: "mm-field" }, ...parts, info, why);
}

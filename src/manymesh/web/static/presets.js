// Ready-made settings: one choice of purpose, one of quality.

import { el } from "./dom.js";
import { same } from "./fields.js";

export class Presets {
  /** @param presets settings by purpose and quality; @param onChoose called with the settings that were chosen */
  constructor(presets, onChoose) {
    Object.assign(this, { presets, onChoose });
    this.qualities = this.group("Quality", Object.keys(Object.values(presets)[0]));
    this.purposes = this.group("For", Object.keys(presets));
    this.element = el("div", { class: "mm-presets" }, this.qualities, this.purposes);
  }

  group(name, choices) {
    const radio = (choice) => el("input", { type: "radio", name: `mm-${name}`, value: choice, id: `mm-${name}-${choice.replace(" ", "-")}`, onchange: () => this.chosen() });
    const label = (input) => el("label", { for: input.id }, input, el("span", {}, input.value[0].toUpperCase() + input.value.slice(1)));
    return el("fieldset", { class: "mm-segments" }, el("legend", {}, name), el("div", {}, ...choices.map(radio).map(label)));
  }

  value(group) {
    return group.querySelector("input:checked")?.value;
  }

  chosen() {
    // One of them may be open, after settings that are no preset's.
    const purpose = this.value(this.purposes) ?? "any use", quality = this.value(this.qualities) ?? "good";
    this.onChoose(this.presets[purpose][quality]);
  }

  /** Mark the preset that these settings are; none where they are none's. */
  show(values) {
    const is = (preset) => Object.entries(preset).every(([name, value]) => same(value, values[name] ?? null) || (Array.isArray(value) && !value.length && !values[name]?.length));
    const now = Object.entries(this.presets).flatMap(([purpose, qualities]) => Object.entries(qualities).map(([quality, preset]) => ({ purpose, quality, preset }))).filter(({ preset }) => is(preset));
    const kept = now.find(({ purpose }) => purpose === this.value(this.purposes)) ?? now[0];
    for (const input of this.element.querySelectorAll("input")) input.checked = !!kept && (input.value === kept.purpose || input.value === kept.quality);
  }
}

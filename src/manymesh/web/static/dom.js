// Small helpers. Text always goes in as text, never as HTML: labels and file names are users' input.

/** An element: el("button", {class: "x", onclick: f}, "text", child...). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make ``parent``'s children exactly these, touching only those that are out of place (so focus and scroll survive). */
export function place(parent, children) {
  const wanted = children.filter(Boolean);
  wanted.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
}

export function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

/** 0.4 -> "0.4 s", 75 -> "1 min 15 s". */
export function seconds(value) {
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
}

/** Have the browser save a file. */
export function save(url, name) {
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Ask before something that cannot be undone. */
export function ask(question, detail, verb) {
  return new Promise((answer) => {
    const close = (yes) => {
      dialog.close();
      dialog.remove();
      answer(yes);
    };
    const dialog = el(
      "dialog",
      { class: "mm-dialog", "aria-labelledby": "mm-question", oncancel: () => close(false) },
      el("h3", { id: "mm-question" }, question),
      el("p", {}, detail),
      el(
        "div",
        { class: "mm-actions" },
        el("button", { class: "mm-button", autofocus: true, onclick: () => close(false) }, "Keep it"),
        el("button", { class: "mm-button mm-danger", onclick: () => close(true) }, verb),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Okabe and Ito's palette (2008), told apart by colour-blind people; the same as in detections.png.
const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];
export const colour = (number) => PALETTE[number % PALETTE.length];
/** Black or white, whichever is easier to read on the colour of that number. */
export const textColourOn = (number) => (number % PALETTE.length === 4 ? "#fff" : "#111");

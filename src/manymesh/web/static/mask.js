// Cutting one object out by hand: brush and eraser on the mask, which begins as the network's.

import { el } from "./dom.js";

const STEPS_KEPT = 20;

/** @param object the server's; @returns the mask as a PNG (white is object), or null when the person changes their mind */
export async function cutByHand(object) {
  const [crop, cutout] = await Promise.all([picture(object.files.crop.url), object.files.cutout ? picture(object.files.cutout.url) : null]);
  const [width, height] = [crop.naturalWidth, crop.naturalHeight];
  const canvas = (name) => el("canvas", { width, height, ...name });
  const mask = canvas(), shade = canvas();
  const view = canvas({ class: "mm-mask", role: "img", "aria-label": `${object.label}: what is bright is cut out. Drag over it with the brush or the eraser.` });
  view.style.setProperty("--ratio", width / height);
  const ink = mask.getContext("2d");
  if (cutout) ink.drawImage(cutout, 0, 0, width, height);
  ink.globalCompositeOperation = "source-in"; // its shape, in white
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, width, height);

  const past = [];
  let erasing = false, last = null;
  const draw = () => {
    const dark = shade.getContext("2d");
    dark.globalCompositeOperation = "source-over";
    dark.clearRect(0, 0, width, height);
    dark.fillStyle = "rgb(14 18 20 / 0.78)";
    dark.fillRect(0, 0, width, height);
    dark.globalCompositeOperation = "destination-out";
    dark.drawImage(mask, 0, 0);
    const shown = view.getContext("2d");
    shown.drawImage(crop, 0, 0, width, height);
    shown.drawImage(shade, 0, 0);
  };
  const size = el("input", { type: "range", min: "1", max: "100", value: "30", id: "mm-brush-size" });
  const stroke = (event) => {
    const area = view.getBoundingClientRect();
    const to = [((event.clientX - area.left) / area.width) * width, ((event.clientY - area.top) / area.height) * height];
    const from = last ?? to;
    ink.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    Object.assign(ink, { strokeStyle: "#fff", lineCap: "round", lineJoin: "round", lineWidth: (Number(size.value) / 400) * Math.max(width, height) + 1 });
    ink.beginPath();
    ink.moveTo(...from);
    ink.lineTo(to[0] + 0.01, to[1]);
    ink.stroke();
    last = to;
    draw();
  };
  view.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    view.setPointerCapture(event.pointerId);
    past.push(ink.getImageData(0, 0, width, height));
    if (past.length > STEPS_KEPT) past.shift();
    undo.disabled = false;
    last = null;
    stroke(event);
  });
  view.addEventListener("pointermove", (event) => last && stroke(event));
  for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => (last = null));

  const choose = (erase) => {
    erasing = erase;
    brush.setAttribute("aria-pressed", String(!erase));
    eraser.setAttribute("aria-pressed", String(erase));
  };
  const brush = el("button", { class: "mm-button", "aria-pressed": "true", onclick: () => choose(false) }, "Brush");
  const eraser = el("button", { class: "mm-button", "aria-pressed": "false", onclick: () => choose(true) }, "Eraser");
  const undo = el("button", { class: "mm-button", disabled: true, onclick: () => (ink.putImageData(past.pop(), 0, 0), (undo.disabled = !past.length), draw()) }, "Undo");
  draw();
  return new Promise((answer) => {
    const close = (blob) => (dialog.remove(), answer(blob));
    const done = () => {
      const flat = canvas(), paper = flat.getContext("2d");
      paper.fillStyle = "#000";
      paper.fillRect(0, 0, width, height);
      paper.drawImage(mask, 0, 0);
      flat.toBlob(close, "image/png");
    };
    const dialog = el(
      "dialog",
      { class: "mm-dialog mm-cutting", "aria-labelledby": "mm-cutting-title", oncancel: () => close(null) },
      el("h3", { id: "mm-cutting-title" }, `Cut out ${object.label}`),
      el("p", {}, "Paint what belongs to it with the brush; take away the rest with the eraser."),
      view,
      el("div", { class: "mm-actions" }, brush, eraser, el("label", { for: size.id }, "Size"), size, undo),
      el("div", { class: "mm-actions" }, el("button", { class: "mm-button", onclick: () => close(null) }, "Leave it"), el("button", { class: "mm-button mm-primary", onclick: done }, "Make it from this")),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function picture(url) {
  const image = el("img", { src: url });
  await image.decode();
  return image;
}

// A photo from the camera, in a dialog.

import { el } from "./dom.js";

/** The photo as a file; null when the person changes their mind. Throws where there is no camera, or none is allowed. */
export async function takePhoto() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 4096 } } });
  const video = el("video", { autoplay: true, playsinline: true, muted: true, "aria-label": "What the camera sees" });
  video.srcObject = stream;
  return new Promise((answer) => {
    const close = (file) => {
      stream.getTracks().forEach((track) => track.stop());
      dialog.remove();
      answer(file);
    };
    const take = async () => {
      const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => close(blob && new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.95);
    };
    const dialog = el(
      "dialog",
      { class: "mm-dialog mm-camera", "aria-label": "Camera", oncancel: () => close(null) },
      video,
      el(
        "div",
        { class: "mm-actions" },
        el("button", { class: "mm-button", onclick: () => close(null) }, "Close"),
        el("button", { class: "mm-button mm-primary", autofocus: true, onclick: take }, "Take the photo"),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

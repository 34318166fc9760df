/* Turns each image that labsupport.widgets.film drew, of class `film film-3x5` (columns x rows), into a
   player: one frame at a time, a slider over them, and a button that plays. It never plays unasked. A
   plain script, so that it works from a file too; without it, and on paper, all frames are seen. */
(function () {
  "use strict";

  const PACE = 500; // milliseconds a frame
  let count = 0;

  function html(name, attributes, parent, text) {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }

  function build(image) {
    const [, columns, rows] = /\bfilm-(\d+)x(\d+)\b/.exec(image.className).map(Number);
    const last = columns * rows - 1, id = `lab-film-${++count}`;
    let clock = null;

    const box = html("div", { class: "lab-film", role: "group", "aria-label": "Film" });
    image.replaceWith(box);
    const shown = html("div", { class: "lab-film-window" }, box);
    shown.appendChild(image);
    const bar = html("p", { class: "lab-film-bar" }, box);
    const button = html("button", { type: "button" }, bar, "Play");
    html("label", { for: id }, bar, "Frame");
    const at = html("span", { class: "lab-film-at", "aria-hidden": "true" }, bar);
    const input = html("input", { id, type: "range", min: 0, max: last, step: 1, value: 0 }, bar);

    function show() {
      const k = Number(input.value), place = `${k + 1} of ${last + 1}`;
      const x = (k % columns) / columns, y = Math.floor(k / columns) / rows;
      image.style.transform = `translate(${-100 * x}%, ${-100 * y}%)`;
      at.textContent = place;
      input.setAttribute("aria-valuetext", place);
    }

    function pause() {
      clearInterval(clock);
      clock = null;
      button.textContent = "Play";
    }

    function next() {
      input.value = Number(input.value) + 1;
      show();
      if (Number(input.value) === last) pause();
    }

    button.addEventListener("click", () => {
      if (clock !== null) return pause();
      if (Number(input.value) === last) input.value = 0;
      show();
      button.textContent = "Pause";
      clock = setInterval(next, PACE);
    });
    input.addEventListener("input", () => {
      pause();
      show();
    });

    // The image's shape is that of the window once its frames are told apart.
    function fit() {
      const width = image.getAttribute("width") || image.naturalWidth;
      const height = image.getAttribute("height") || image.naturalHeight;
      shown.style.aspectRatio = `${width / columns} / ${height / rows}`;
    }
    image.style.width = `${100 * columns}%`;
    image.addEventListener("load", fit);
    fit();
    show();
  }

  function start() {
    document.querySelectorAll("img.film:not([data-ready])").forEach((image) => {
      image.setAttribute("data-ready", "");
      build(image);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

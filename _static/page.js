/* What the pages need beside the theme's scripts: handlers that a strict host forbids in attributes,
   and places to stop at for those who scroll by keyboard. */
(function () {
  "use strict";

  // Boxes that scroll sideways can be reached by keyboard; those that do not are no stop.
  const WIDE = ".bd-article :is(pre, .katex-display, .text_html, .pst-scrollable-table-container)";

  // All are measured before any is changed, or the page would be laid out anew for each.
  function stops() {
    const boxes = [...document.querySelectorAll(WIDE)];
    const wide = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
    boxes.forEach((box, n) => {
      if (wide[n]) box.tabIndex = 0;
      else if (box.tabIndex === 0) box.removeAttribute("tabindex");
    });
  }

  function start() {
    document.querySelectorAll(".btn-download-pdf-button").forEach((button) => {
      button.addEventListener("click", () => window.print());
    });
    stops();
    let waiting;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(stops, 200);
    });
    document.addEventListener("toggle", stops, true); // a folded part opens
    document.addEventListener("click", () => setTimeout(stops, 50));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

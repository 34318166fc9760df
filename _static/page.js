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

  // The sidebar shows the current chapter, however far another page had scrolled it.
  function showChapter() {
    const link = document.querySelector(".bd-links .current.active > a");
    const sidebar = link?.closest(".bd-sidebar-primary");
    if (!sidebar) return;
    const [inside, box] = [link.getBoundingClientRect(), sidebar.getBoundingClientRect()];
    sidebar.scrollTop += inside.top - box.top - box.height / 3;
  }

  // Paper is light, whatever the screen.
  function printLight() {
    const shown = document.documentElement.dataset;
    let theme;
    window.addEventListener("beforeprint", () => {
      theme = shown.theme;
      shown.theme = "light";
    });
    window.addEventListener("afterprint", () => {
      shown.theme = theme;
    });
  }

  function start() {
    printLight();
    showChapter();
    document.querySelector(".primary-toggle")?.addEventListener("click", () => setTimeout(showChapter));
    document.querySelectorAll(".btn-download-pdf-button").forEach((button) => {
      button.addEventListener("click", () => window.print());
    });
    stops();
    document.fonts.ready.then(stops); // a formula is as wide as its letters
    let waiting;
    window.addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(stops, 200);
    });
    document.addEventListener("toggle", stops, true); // a folded part opens
    document.addEventListener("click", (event) => {
      setTimeout(stops, 50);
      event.target.closest("dialog a")?.closest("dialog").close(); // the contents leave, once chosen from
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

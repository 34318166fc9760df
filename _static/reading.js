/* How far one has read: a mark in the sidebar for each chapter read to its end, and the minutes
   that are left of the one that is open. The marks stay in the reader's own browser, and can be forgotten. */
(function () {
  "use strict";
  const KEY = "lab-read";
  const chapter = location.pathname.split("/").pop();

  function read() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) || [];
    } catch {
      return []; // no storage, or not ours
    }
  }

  function keep(names) {
    try {
      localStorage.setItem(KEY, JSON.stringify(names));
    } catch { /* a browser that keeps nothing */ }
    mark();
  }

  function mark() {
    const names = read();
    document.querySelectorAll(".bd-links a.reference").forEach((link) => {
      const done = names.includes(link.pathname.split("/").pop());
      link.querySelector(".chapter-read")?.remove();
      if (done) link.insertAdjacentHTML("beforeend",
        ' <span class="chapter-read" role="img" aria-label="read">✓</span>');
    });
    document.querySelector(".chapters-forget")?.toggleAttribute("hidden", !names.length);
  }

  function start() {
    const forget = document.createElement("button");
    forget.className = "chapters-forget btn btn-sm";
    forget.textContent = "Forget what I have read";
    forget.addEventListener("click", () => keep([]));
    document.querySelector(".bd-links")?.append(forget);
    mark();

    const article = document.querySelector(".bd-article");
    const minutes = Number(/About (\d+) minutes/.exec(article?.textContent || "")?.[1]);
    if (!minutes) return;
    const left = document.createElement("span");
    left.className = "minutes-left";
    document.querySelector(".article-header-buttons")?.prepend(left);
    function look() {
      const box = article.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (box.bottom - innerHeight) / (box.height - innerHeight)));
      left.textContent = `${Math.ceil(minutes * share)} min left`;
      if (share === 0 && !read().includes(chapter)) keep([...read(), chapter]);
    }
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    left.textContent = `${minutes} min left`;
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

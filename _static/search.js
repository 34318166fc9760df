/* The search page: sections that hold all words of the question, each with the sentence it stands in.
   bookSections comes from bookbuild/search.py. A word is found in British and in American spelling, and
   with other endings. */
(function () {
  "use strict";

  // The forms of words too short for their ending to be cut (used, using, use), and the spellings in which
  // the two differ: each as an expression that matches both.
  const SPELLINGS = [
    [/(?<=[aeiouy][^aeiou])(?:ing|ed)$/g, "(?:e|ing)"],
    [/i[sz](?=e|ing|at|$)/g, "i[sz]"],
    [/y[sz](?=e|ing|$)/g, "y[sz]"],
    [/ou?r(?=$|s|al|ed|ing)/g, "ou?r"],
    [/t(?:re|er)$/g, "t(?:re|er)"],
  ];

  function expression(word) {
    let source = word.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    source = source.replace(/(?<=.{4})(?:ations?|(?:(?<=l)l)?(?:ings?|ed)|(?<!tr)es?|s)$/, (end) =>
      end.startsWith("ation") ? "at" : "");
    source = SPELLINGS.reduce((text, [both, either]) => text.replace(both, either), source);
    return new RegExp("(?<![\\p{L}\\d])" + source + "[\\p{L}\\d]*", "giu");
  }

  function find(question) {
    const words = question.trim().split(/\s+/).filter(Boolean).map(expression);
    const found = [];
    for (const [address, page, heading, text] of words.length ? window.bookSections : []) {
      const [titled, told] = [heading, text].map((t) => words.map((w) => (t.match(w) || []).length));
      if (words.every((_, n) => titled[n] || told[n])) {
        const score = words.reduce((sum, _, n) => sum + 20 * titled[n] + told[n], 0);
        found.push({ address, page, heading, text, score, words });
      }
    }
    return found.sort((a, b) => b.score - a.score);
  }

  // Some words around the first hit, the hits marked.
  function snippet({ text, words }) {
    const any = new RegExp(words.map((w) => w.source).join("|"), "giu");
    const from = text.lastIndexOf(" ", Math.max(0, text.search(any) - 80)) + 1;
    const more = from + 240 < text.length;
    const part = more ? text.slice(from, from + 240).replace(/\s\S*$/, "") : text.slice(from);
    const shown = document.createElement("p");
    let at = 0;
    for (const hit of part.matchAll(any)) {
      const mark = document.createElement("mark");
      mark.textContent = hit[0];
      shown.append(part.slice(at, hit.index), mark);
      at = hit.index + hit[0].length;
    }
    shown.append(part.slice(at) + (more ? " …" : ""));
    return shown;
  }

  function start() {
    const box = document.getElementById("search-results");
    const question = new URLSearchParams(location.search).get("q") || "";
    if (!box || !question) return;
    document.querySelectorAll("input[name='q']").forEach((field) => { field.value = question; });
    const found = find(question);
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    said.textContent = found.length
      ? `${found.length} ${found.length > 1 ? "sections have" : "section has"} “${question}”.`
      : `No section has “${question}”. Try fewer words, or the start of one.`;
    const list = document.createElement("ul");
    list.className = "search";
    for (const hit of found.slice(0, 50)) {
      const [item, link] = ["li", "a"].map((tag) => document.createElement(tag));
      link.href = hit.address;
      link.textContent = hit.heading === hit.page ? hit.page : `${hit.page} › ${hit.heading}`;
      item.append(link, snippet(hit));
      list.append(item);
    }
    box.replaceChildren(said, list);
    // The page that is opened marks what was found, in its own spelling, and offers to hide the marks.
    list.addEventListener("click", (event) => {
      const marks = [...(event.target.closest("li")?.querySelectorAll("mark") || [])];
      const seen = new Set(marks.map((mark) => mark.textContent.toLowerCase()));
      localStorage.setItem("sphinx_highlight_terms", [...seen].join(" "));
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

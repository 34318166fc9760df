/* Each drawing can be seen enlarged: by a tap on it, or by the button that is put beside it. */
(function () {
  "use strict";

  const box = document.createElement("dialog");
  const close = document.createElement("button");

  function show(drawing, name) {
    box.setAttribute("aria-label", name);
    box.replaceChildren(close, drawing.cloneNode(true));
    box.showModal();
  }

  function start() {
    box.className = "lab-enlarged";
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => box.close());
    box.addEventListener("click", (event) => event.target === box && box.close()); // beside it
    box.addEventListener("close", () => box.replaceChildren());
    document.body.append(box);

    document.querySelectorAll("article svg.lab-figure").forEach((drawing) => {
      const number = drawing.parentElement.querySelector(".caption-number");
      const name = number ? `figure ${number.textContent.trim().split(" ").pop()}` : "the figure";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "lab-enlarge";
      button.textContent = "Enlarge";
      button.setAttribute("aria-label", `Enlarge ${name}`);
      drawing.after(button);
      for (const part of [drawing, button]) part.addEventListener("click", () => show(drawing, name));
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();

// Keys go to the dashboard from the first one on, without a click.
window.addEventListener("load", () => document.querySelector(".xterm-helper-textarea").focus());

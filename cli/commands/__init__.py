"""One module per family of commands; each command is a function from parsed arguments to an exit code."""

"""Every command, option and word of help, declared once; a module for each group of commands."""

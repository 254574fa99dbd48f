"""The sections of the report as data, one module each; `reports.assemble` puts them together."""

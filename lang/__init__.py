"""The small languages: shell, CEL, redaction, safe text, times and names. Pure functions over text and bytes."""

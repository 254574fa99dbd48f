"""A source cut into records: decompressed, decoded, taken out of lists, lines, archives and carriers. Knows no format."""

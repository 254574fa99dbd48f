"""One module per format. A module that ends in `RENDERER = Name()` is found by itself."""

"""The words everybody uses: plain structs and closed lists, importing nothing else of Remit's."""

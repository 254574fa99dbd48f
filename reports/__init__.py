"""Evidence packs: framework catalogues, assessment of controls, renderers, and a check that needs nothing but the pack."""

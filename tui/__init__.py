"""The dashboard: screens, widgets, actions and themes on Textual."""

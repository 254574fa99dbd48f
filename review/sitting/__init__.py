"""What the dashboard's screens read and do at one sitting."""

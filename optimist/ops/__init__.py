"""What an operator touches: settings and logs. Knows nothing else of this project."""

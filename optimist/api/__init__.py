"""The door of the sequencer: one schema of requests and answers, one table of errors, HTTP in front."""

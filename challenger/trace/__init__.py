"""The truth about a disputed range: its history, the trace of one input, the proof of one step."""

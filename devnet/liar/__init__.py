"""A liar for tests and demonstrations: one fault, and a history that follows from it."""

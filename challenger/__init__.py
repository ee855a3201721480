"""What independent parties run: a watcher without a key, and a challenger that plays until a lie is dead."""

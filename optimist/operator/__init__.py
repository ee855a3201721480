"""What whoever founds and runs a rollup does by hand: deploy it, make keys, look at the settings."""

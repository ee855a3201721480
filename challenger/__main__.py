"""`python -m challenger` is `challenger`."""

from challenger.cli import main

if __name__ == "__main__":
    main(prog_name="challenger")

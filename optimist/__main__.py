"""`python -m optimist` is `optimist`."""

from optimist.cli import main

if __name__ == "__main__":
    main(prog_name="optimist")

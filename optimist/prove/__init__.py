"""Where the law, the compiler and the machine meet."""

"""Steps of runs beside a bare queue, and with few and many runs that wait."""

"""How long one import takes, in a process of its own: prints microseconds.

python imports.py STATEMENT
"""

import sys
import time

start = time.perf_counter()
exec(sys.argv[1])
print((time.perf_counter() - start) * 1e6)

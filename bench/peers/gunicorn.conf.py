"""The peers are served as the portal is: spread in the same way over processes and cores."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy import spread

worker_class = spread.Worker
pre_fork, post_worker_init = spread.pre_fork, spread.post_worker_init
child_exit = spread.child_exit

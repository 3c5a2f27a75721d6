"""Everything that the comparison has measured, by what and whose."""

from collections import defaultdict
from dataclasses import dataclass, field

from bench.gaps import Times
from bench.walks import Walks
from bench.wrk import Result

Key = tuple[str, str]  # what, who


@dataclass
class Seen:
    """`runs` of wrk, in the same order for all; `sent`: requests a second with the sending of

    their messages, and how many came; `times` of known and unknown; `walks`; `hashes` a second.
    """

    runs: dict[Key, list[Result]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[Key, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    times: dict[str, Times] = field(default_factory=lambda: defaultdict(lambda: ([], [])))
    walks: dict[str, list[Walks]] = field(default_factory=lambda: defaultdict(list))
    hashes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

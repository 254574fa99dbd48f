"""Secrets of every kind drawn again and again: what one draw shows may be luck, as a token may look like something else by chance.

`python -m benchmarks.secret_draws [--draws 100]` writes each in every context, redacts it and prints what stayed in clear.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict

from lang.redact import Redactor
from tests.redact_planted import Planted, contexts, core, planted

KEY = b"drawn-secrets-of-a-benchmark"


def stayed(redactor: Redactor, item: Planted) -> list[str]:
    """The contexts in which the middle of a secret is still there, so that half a secret counts too."""
    value = core(item)
    middle = max(0, len(value) // 2 - 8)
    told = value[middle : middle + 16]
    found = []
    for name, (write, is_json) in contexts().items():
        seen = redactor.redact(write(item).encode(), json=is_json).data.decode().replace("\\/", "/")
        if told in seen:
            found.append(name)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=100)
    args = parser.parse_args()
    redactor = Redactor(KEY)
    values: dict[str, set[str]] = defaultdict(set)
    places: dict[str, set[str]] = defaultdict(set)
    tried = 0
    for number in range(args.draws):
        for item in planted(f"draw {number}"):
            tried += 1
            if found := stayed(redactor, item):
                values[item.kind].add(item.value)
                places[item.kind].update(found)
    print(
        f"{tried:,} secrets in {args.draws} draws, each in {len(contexts())} contexts; {sum(map(len, values.values()))} stayed somewhere"
    )
    for kind in sorted(values):
        print(
            f"  {kind}: {len(values[kind])}, in {len(places[kind])} contexts ({', '.join(sorted(places[kind])[:3])}), such as {min(values[kind])}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

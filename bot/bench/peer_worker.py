"""Run one extractor over texts and print the seconds; a script, to run where Liaison is not installed."""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

WARM_UP = "hxxp://evil[.]example/a 192.0.2[.]1 user@mail[.]example d41d8cd98f00b204e9800998ecf8427e"


def extractor(name: str) -> Callable[[str], object]:
    """The function of a library that takes a text and gives what it found."""
    if name == "liaison":
        found: Callable[[str], object] = import_module("bot.extraction").extract
    elif name == "iocsearcher":
        found = import_module("iocsearcher.searcher").Searcher().search_data
    else:
        found = import_module("ioc_finder").find_iocs
    return found


def main() -> None:
    """Warm up, then time one pass in processor time, so that other work on the machine does not count."""
    extract = extractor(sys.argv[1])
    texts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    extract(WARM_UP)
    begin = time.process_time()
    for text in texts:
        extract(text)
    sys.stdout.write(f"{time.process_time() - begin}\n")


if __name__ == "__main__":
    main()

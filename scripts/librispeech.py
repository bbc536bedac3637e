"""The commands of recipe_librispeech, for its environment: librispeech.py LIBRISPEECH OUT COMPONENTS"""

from __future__ import annotations

import sys
from pathlib import Path

from commands import Commands


def main(corpus: Path, out: Path, components: int) -> int:
    """Run the recipe; the exit status is 3 where some inputs were set aside."""
    recipe = Commands(out)
    manifest, frames, model = out / "all.jsonl", out / "frames", out / "ubm.agmm"
    speaker = r"(?P<speaker>\d+)-\d+-\d+\."
    recipe.run("manifest", "scan", corpus, "--speaker", speaker, "-o", manifest, "--force")
    recipe.run("features", manifest, "--preset", "speech", "--sample-rate", 16000, "-o", frames)
    recipe.run("train", frames, "-k", components, "-o", model, "--force")
    recipe.run("cluster", model, frames, "-o", out / "clusters", "--force")
    recipe.run("info", model)
    return recipe.status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))

#!/usr/bin/env python
"""From audio to a DET curve.

    python scripts/recipe_verify.py BACKGROUND ENROLL TRIALS.csv [-o OUT] [--folds all]

BACKGROUND and ENROLL are manifests of other speakers and of those to enroll, by `speaker`. TRIALS.csv has the
columns model, audio_filepath and target (1 or 0). Calls train, enroll, verify and evaluate with their default
settings; OUT (default: recipe-verify) gets the models, scores.csv, result.json and det.png.

With --folds the background is cross-fitted: BACKGROUND has a key `fold`, TRIALS.csv a column `fold`, and the
trials of a fold are scored with a background of all other folds, so that the enrolled speakers may be those
of the background. `--folds all` takes every fold, `--folds 0,1` some.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from verifying import Recipe


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; the exit status is 3 where some inputs were set aside."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("background", type=Path, metavar="BACKGROUND")
    parser.add_argument("enrollment", type=Path, metavar="ENROLL")
    parser.add_argument("trials", type=Path, metavar="TRIALS.csv")
    parser.add_argument("-o", "--output", type=Path, default=Path("recipe-verify"), metavar="OUT")
    parser.add_argument("--folds", metavar="all|0,1", help="cross-fit the background by fold")
    parser.add_argument("--sample-rate", type=int, default=8000, metavar="HZ", help="default: 8000")
    parser.add_argument("--by", action="append", default=[], metavar="COLUMN", help="conditions to evaluate")
    asked = parser.parse_args(arguments)

    recipe = Recipe(asked.output, asked.sample_rate)
    lists = (asked.background, asked.enrollment, asked.trials)
    if asked.folds is None:
        scores = recipe.score(*lists, asked.output)
    else:
        scores = recipe.cross_fit(*lists, [] if asked.folds == "all" else asked.folds.split(","))
    recipe.evaluate(scores, asked.by)
    return recipe.status


if __name__ == "__main__":
    sys.exit(main())

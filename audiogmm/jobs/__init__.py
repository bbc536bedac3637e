"""The verbs: one file for each command, from its inputs to its files.

A verb takes a settings object (or its fields as keywords), opens the inputs, calls the room that does the
work, writes the output beside its final name and renames it into place, and returns a result with
`summary()` for `--json` and `lines()` for a person. An input that cannot be used is set aside with its
reason, and does not end a run. Verbs that work in memory (`audiogmm.train`, `audiogmm.score`, ...) are
exported by the package itself; those that write files are exported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.jobs.calibrate import calibrate_to_file as calibrate_to_file
    from audiogmm.jobs.cluster import cluster_to_folder as cluster_to_folder
    from audiogmm.jobs.detect import detect_to_file as detect_to_file
    from audiogmm.jobs.enroll import enroll_to_folder as enroll_to_folder
    from audiogmm.jobs.evaluate_detect import evaluate_detect_to_file as evaluate_detect_to_file
    from audiogmm.jobs.evaluate_verify import evaluate_verify_to_file as evaluate_verify_to_file
    from audiogmm.jobs.fuse import fuse_to_file as fuse_to_file
    from audiogmm.jobs.identify import identify_to_file as identify_to_file
    from audiogmm.jobs.manifests import check_manifest as check_manifest
    from audiogmm.jobs.manifests import convert_manifest as convert_manifest
    from audiogmm.jobs.manifests import scan_folder as scan_folder
    from audiogmm.jobs.score import score_to_folder as score_to_folder
    from audiogmm.jobs.selected_files import select_to_file as select_to_file
    from audiogmm.jobs.stream_learn import learn_from_stream as learn_from_stream
    from audiogmm.jobs.trained_files import train_to_file as train_to_file
    from audiogmm.jobs.updated_files import update_file as update_file
    from audiogmm.jobs.verify import verify_to_file as verify_to_file

__getattr__, __dir__ = exports(__name__)

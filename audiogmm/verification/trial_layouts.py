"""Lists of trials without a header of ours: those of Kaldi, VoxCeleb and NIST."""

from __future__ import annotations

from dataclasses import dataclass

_TRUTHS = {"target": "1", "nontarget": "0"}
_SIDES = {"a": "0", "b": "1", "x": ""}
_NIST = {"modelid": "model", "segmentid": "test", "side": "channel", "targettype": "target"}


@dataclass(frozen=True)
class TrialLayout:
    """How the words of a line become cells under names of ours.

    Attributes
    ----------
    name : str
        Whose it is.
    columns : tuple of str
        Names of the cells.
    order : tuple of int
        The word that each cell is.
    delimiter : str or None
        Between words; None means blanks.
    n_header_lines : int
        Lines before the first trial.
    """

    name: str
    columns: tuple[str, ...]
    order: tuple[int, ...]
    delimiter: str | None = None
    n_header_lines: int = 0

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line; all its words where they are not as many as the columns.

        Examples
        --------
        >>> find_layout("1 a/1.wav b/2.wav").cells("0 c/1.wav b/2.wav")
        ['c/1.wav', 'b/2.wav', '0']
        """
        words = line.rstrip("\r\n").split(self.delimiter)
        if len(words) != len(self.columns):
            return words if any(words) else []
        found = [words[at] for at in self.order]
        for i, name in enumerate(self.columns):
            if name == "target":
                found[i] = _TRUTHS.get(found[i].lower(), found[i])
            elif name == "channel":
                found[i] = _SIDES.get(found[i].lower(), found[i])
        return found


KALDI = TrialLayout("Kaldi's", ("model", "test", "target"), (0, 1, 2))
KALDI_SCORES = TrialLayout("Kaldi's scores", ("model", "test", "score"), (0, 1, 2))
NIST = TrialLayout("NIST's", ("model", "test", "channel"), (0, 1, 2))


def find_layout(line: str, *, by_id: bool = True) -> TrialLayout | None:
    """Recognize a list by its first line; None for a table with a header of ours, or what is not known.

    Kaldi's is model, test, and target or nontarget, or a score; VoxCeleb's is 1 or 0, and two recordings, of
    which the first is taken for the model; NIST's has the header modelid, segmentid, side, or no header.

    Parameters
    ----------
    line : str
        The first line.
    by_id : bool
        Tests are ids, where the list may name either; else paths.

    Examples
    --------
    >>> find_layout("s0 s0_3 target").columns, find_layout("s0 s0_3 -1.25").columns
    (('model', 'test', 'target'), ('model', 'test', 'score'))
    >>> find_layout("model,test,target") is None
    True
    """
    words = line.split()
    names = tuple(line.rstrip("\r\n").split("\t"))
    if names[:2] == ("modelid", "segmentid"):
        columns = tuple(_NIST.get(name, name) for name in names)
        return TrialLayout("NIST's", columns, tuple(range(len(columns))), "\t", 1)
    if len(words) != 3 or "," in line or ";" in line:
        return None
    if words[2].lower() in _TRUTHS:
        return KALDI
    if words[0] in ("0", "1"):
        return TrialLayout(
            "VoxCeleb's", ("model", "test" if by_id else "audio_filepath", "target"), (1, 2, 0)
        )
    if words[2].lower() in _SIDES:
        return NIST
    try:
        float(words[2])
    except ValueError:
        return None
    return KALDI_SCORES

"""URLs in lists: archives of this machine are read, and nothing else is opened unless the user allows it."""

from __future__ import annotations

import os
import shutil
import socket
import tarfile
import threading
import zipfile
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decode import open_audio
from audiogmm.audio.decoders.source import open_source
from audiogmm.errors import AudioFileError, ManifestError
from audiogmm.manifest import find_recordings, read_manifest, write_manifest
from audiogmm.manifest.inside import bytes_address, lhotse_address
from audiogmm.protocols import refuse_protocols, refuse_redirect


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(8000.0)) / 2, 16000)
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        tar.add(tmp_path / "a.wav", "ann/a.wav")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(tmp_path / "a.wav", "ann/a.wav")
    return tmp_path


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_scanned_written_and_read(kind: str, archives: Path) -> None:
    (found,) = find_recordings(archives / f"x.{kind}", "parent")
    assert (found.id, found.speaker) == ("ann--a", "ann")
    for name in ("m.jsonl", "m.csv"):
        write_manifest([found], archives / name)
        assert f"{kind}://ann/a.wav::x.{kind}" in (archives / name).read_text()  # beside the manifest
        (entry,) = read_manifest(archives / name)
        assert entry == found
    with open_audio(entry) as inside:
        samples = np.concatenate(list(inside))
    np.testing.assert_array_equal(samples, soundfile.read(archives / "a.wav", dtype="float32")[0])


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_scanned_as_a_folder_is(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    for name in ("a b.wav", "a_b.wav", "c.wav", "c.flac", "x/c.wav", "__MACOSX/._c.wav", ".hidden/d.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    shutil.make_archive(str(tmp_path / "all"), kind, folder)
    inside = {entry.id for entry in find_recordings(tmp_path / f"all.{kind}")}
    assert inside == {entry.id for entry in find_recordings(folder)}
    assert len(inside) == 5


def test_an_archive_is_listed_once(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(archives / "many.tar", "w") as tar:
        for number in range(5):
            tar.add(archives / "a.wav", f"{number}.wav")
    entries = list(find_recordings(archives / "many.tar"))
    read: list[tarfile.TarInfo | None] = []
    read_next = tarfile.TarFile.next

    def noted(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
        read.append(read_next(tar))
        return read[-1]

    monkeypatch.setattr(tarfile.TarFile, "next", noted)
    for entry in entries:
        with closing(open_source(entry.path)) as source:
            assert source.read() == (archives / "a.wav").read_bytes()
    assert len(read) == 7  # five, the first of them twice, and the end
    soundfile.write(archives / "b.wav", np.zeros(99), 16000)
    with tarfile.open(archives / "many.tar", "w") as tar:
        tar.add(archives / "b.wav", "3.wav")
    with closing(open_source(entries[3].path)) as source:
        assert source.read() == (archives / "b.wav").read_bytes()


def test_a_folder_names_the_archives_that_it_holds(archives: Path) -> None:
    with pytest.warns(UserWarning, match="audiogmm manifest scan") as told:
        (found,) = find_recordings(archives)
    assert found.id == "a"
    assert [Path(str(one.message).split()[0]).name for one in told] == ["x.tar", "x.zip"]


def test_no_archive(archives: Path) -> None:
    (archives / "bad.zip").write_bytes(b"PK no")
    with pytest.raises(ManifestError, match=r"bad\.zip cannot be read"):
        list(find_recordings(archives / "bad.zip"))


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("https://host.invalid/a.wav", "https"),
        ("zip://a.wav::https://host.invalid/x.zip", "https"),
        ("s3://bucket/a.wav", "s3"),
        ("simplecache::http://host.invalid/a.wav", "simplecache,http"),
    ],
)
def test_nothing_leaves_this_machine_unless_it_is_allowed(
    url: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(AudioFileError, match=f"try: export AUDIOGMM_PROTOCOLS={protocol}$"):
        open_source(url)
    with pytest.raises(ManifestError, match=r"AUDIOGMM_PROTOCOLS"):
        read_manifest(url.replace(".wav", ".csv"))
    record = {"type": "url", "source": url, "channels": [0]}
    with pytest.raises(AudioFileError, match=r"AUDIOGMM_PROTOCOLS"):
        open_source(lhotse_address("a", {"id": "a", "sources": [record]}))


def test_what_is_allowed_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOGMM_PROTOCOLS", "data, https")
    assert open_source("data://text/plain;base64,YWJj").read() == b"abc"


@pytest.mark.parametrize("url", ["file://{}", "tar://a.wav::{}", "gzip://{}", "ark://{}:0", "{}"])
def test_a_pipe_is_refused_and_not_waited_for(url: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioFileError, match="is a pipe, which might never end"):
        open_source(url.format(tmp_path / "pipe"))
    with pytest.raises(AudioFileError, match="is a pipe, which might never end"):
        open_source(bytes_address(str(tmp_path / "pipe"), 0, 9))


def test_protocols_of_any_spelling_are_looked_at() -> None:
    for url in ("async_wrapper://x::y", "a_b::c", "HTTP://x/y"):
        with pytest.raises(AudioFileError, match=r"AUDIOGMM_PROTOCOLS|not known"):
            refuse_protocols(url, AudioFileError)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("http://8.8.8.8/a", "file:///etc/passwd", "leads to file:"),
        ("http://8.8.8.8/a", "ftp://8.8.8.8/a", "leads to .* read by ftp"),
        ("http://8.8.8.8/a", "https://8.8.8.8/a", "leads to .* read by https"),
        ("http://8.8.8.8/a", "http://169.254.169.254/latest", "an address inside this network"),
        ("http://8.8.8.8/a", "http://127.0.0.1:8080/", "an address inside this network"),
        ("http://8.8.8.8/a", "http://[::1]/", "an address inside this network"),
        ("http://8.8.8.8/a", "http://10.0.0.1/", "an address inside this network"),
        ("http://8.8.8.8/a", "http:///", "an address inside this network"),
        ("http://8.8.8.8/a", "http://1.1.1.1/b", None),
        ("http://127.0.0.1/a", "http://10.0.0.1/", None),
    ],
)
def test_a_redirect_stays_where_urls_may_lead(
    source: str, target: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIOGMM_PROTOCOLS", "http")
    if said is None:
        refuse_redirect(source, target)
    else:
        with pytest.raises(AudioFileError, match=said):
            refuse_redirect(source, target)


def test_a_redirect_to_this_machine_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="pip install aiohttp requests")
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{self.server.server_port}/secret")  # type: ignore[attr-defined]
            else:
                self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - their name

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setenv("AUDIOGMM_PROTOCOLS", "http")
    monkeypatch.setattr("audiogmm.protocols._is_inside", lambda url: "localhost" in url)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(AudioFileError, match="an address inside this network"):
                open_source(f"http://127.0.0.1:{server.server_port}/moved")
        finally:
            server.shutdown()
            thread.join()
    assert asked and set(asked) == {"/moved"}

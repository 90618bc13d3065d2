"""The way through proxies, and certificates that somebody must vouch for, as the system's settings say."""

from pathlib import Path

import pytest
from faulty_server import File, closed_address, self_signed, serving

from hati.tools.download import DownloadError, PassingError, opened

BODY = bytes(range(256)) * 2048


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def come(address: str) -> bytes:
    with opened(address) as stream:
        return b"".join(stream.pieces)


def test_a_proxy_is_asked_instead_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://weights.example/file.h5"
    with serving({address: File(BODY)}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.address)
        assert come(address) == BODY
        assert proxy.asked == [address]


def test_a_machine_that_needs_no_proxy_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_address())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving({"/": File(BODY)}) as server:
        assert come(f"{server.address}/") == BODY


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_address())
    with pytest.raises(PassingError, match="the proxy cannot be reached, or refused; HTTP_PROXY"):
        come("http://weights.example/file.h5")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = self_signed(tmp_path_factory.mktemp("certificate"))
    if made is None:
        pytest.skip("there is no openssl here to make a certificate with")
    return made


@pytest.mark.parametrize("through_a_proxy", [False, True])
def test_a_certificate_is_trusted_where_the_bundle_has_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, through_a_proxy: bool
) -> None:
    with serving({"/": File(BODY)}, certificate) as server, serving({}) as proxy:
        if through_a_proxy:
            monkeypatch.setenv("https_proxy", proxy.address)
        untrusted = r"its certificate is not trusted here \([\w -]+\); REQUESTS_CA_BUNDLE can name"
        with pytest.raises(DownloadError, match=untrusted) as failed:
            come(f"{server.address}/")
        assert not isinstance(failed.value, PassingError)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
        with pytest.raises(DownloadError, match=r"none\.pem"):
            come(f"{server.address}/")
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert come(f"{server.address}/") == BODY
        assert bool(proxy.asked) == through_a_proxy

"""Spleeter's two stems (Hennequin et al. 2020), trained on songs: singing and accompaniment.

Of each stem a U-Net guesses the magnitude; the squares of the guesses weigh the mixture's spectrogram (a Wiener
filter). The networks see 12 s at a time; neighbouring pieces overlap and their weights fade into each other, so that a
long sound has no seams.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.separation.contract import Sound, Stems
from models.separation.engines import NAME
from models.separation.network import MULTIPLE, StemNet
from models.weights import locate

FILE = "spleeter.safetensors"
STEMS = ("voice", "background")
_WINDOW, _HOP = 4096, 1024
_BANDS = 1024  # up to 11 kHz, which is what the networks were trained on
_UPPER = 128  # bands at the upper end whose mean stands for everything above them
_FRAMES = 512
_OVERLAP = 64
_FLOOR = 1e-10


class Spleeter:
    """The separator. MissingWeights where its weights are not on this machine."""

    def __init__(self) -> None:
        from safetensors.torch import load_file

        tensors = load_file(locate(NAME) / FILE)
        self._networks = [_network(tensors, stem) for stem in STEMS]

    def separate(self, sound: Sound) -> Stems:
        """See `models.separation.contract.Separator`."""
        if sound.ndim != 2 or sound.shape[0] not in {1, 2}:
            raise ValueError(f"a sound of one or two channels is (channels, n), not {sound.shape}")
        if not sound.shape[1]:
            return Stems(sound.copy(), sound.copy())
        with torch.inference_mode():
            heard = torch.from_numpy(sound)
            window = torch.hann_window(_WINDOW)
            spectrum = torch.stft(
                heard, _WINDOW, _HOP, window=window, center=True, pad_mode="constant", return_complex=True
            )
            share = self._voice_share(spectrum.abs()[:, :_BANDS].expand(2, -1, -1))
            voice = torch.istft(
                spectrum * share[: len(heard)], _WINDOW, _HOP, window=window, center=True, length=sound.shape[1]
            ).numpy()
        return Stems(voice, sound - voice)

    def _voice_share(self, magnitude: Tensor) -> Tensor:
        """(2, bands, frames) of the mixture -> the voice's share of the power in (2, every band, frames), 0 to 1."""
        count = magnitude.shape[2]
        total = magnitude.new_zeros(magnitude.shape)
        weight = magnitude.new_zeros(count)
        for start in range(0, max(count - _OVERLAP, 1), _FRAMES - _OVERLAP):
            piece = magnitude[:, :, start : start + _FRAMES]
            fade = _fade(piece.shape[2], opening=start > 0, closing=start + _FRAMES < count)
            total[:, :, start : start + _FRAMES] += self._share_of_piece(piece) * fade
            weight[start : start + _FRAMES] += fade
        total /= weight
        above = total[:, -_UPPER:].mean(dim=1, keepdim=True).expand(-1, _WINDOW // 2 + 1 - _BANDS, -1)
        return torch.cat([total, above], dim=1)

    def _share_of_piece(self, magnitude: Tensor) -> Tensor:
        frames = magnitude.shape[2]
        padded = torch.nn.functional.pad(magnitude, (0, -frames % MULTIPLE))
        laid = padded.transpose(1, 2)[None].contiguous()
        voice, background = (network(laid)[0].transpose(1, 2)[:, :, :frames].square() for network in self._networks)
        share: Tensor = (voice + _FLOOR / 2) / (voice + background + _FLOOR)
        return share


def _network(tensors: dict[str, Tensor], stem: str) -> StemNet:
    network = StemNet()
    prefix = f"{stem}."
    network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    return network.eval().requires_grad_(requires_grad=False)


def _fade(frames: int, *, opening: bool, closing: bool) -> Tensor:
    """The weight of each frame of a piece: rising where another came before it, falling where one follows."""
    ramp = (torch.arange(_OVERLAP) + 1) / (_OVERLAP + 1)
    fade = torch.ones(frames)
    if opening:
        length = min(_OVERLAP, frames)
        fade[:length] *= ramp[:length]
    if closing:
        fade[-_OVERLAP:] *= ramp.flip(0)
    return fade

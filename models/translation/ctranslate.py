"""OPUS-MT Marian models (Tiedemann and Thottingal, 2020) on CTranslate2, int8 on a CPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from manifests.errors import MissingWeights
from manifests.records import Hypothesis
from models.translation.sentences import has_words, is_loop, joined, normalise, split_to_fit, unique

Device = Literal["cpu", "cuda"]

BEAM_SIZE = 4
"""As the models' own configuration says; a wider beam where more candidates are wanted."""

MAX_SOURCE_TOKENS = 160
"""Marian's positions end at 512, but OPUS sentences are short: beyond this it starts to drop clauses."""

_BATCH_TOKENS = 2048
_END = "</s>"


class CTranslateTranslator:
    """Beam search over a converted Marian model, with SentencePiece alone in front of it: no transformers.

    The best candidate is that of `BEAM_SIZE` beams as long as no more candidates are asked for. A sentence of more
    than `MAX_SOURCE_TOKENS` is translated in parts, cut at clauses; a translation that loops is redone without
    repeated groups of three tokens.
    """

    experimental = False

    def __init__(
        self,
        folder: Path,
        *,
        source: str,
        target: str,
        prefix: str | None = None,
        device: Device | None = None,
        cpu_threads: int | None = None,
    ) -> None:
        """Load `folder`/ct2 (model.bin, shared_vocabulary.json, config.json, source.spm, target.spm).

        `prefix` is the token that tells a multilingual model its target (">>ara<<"). `device` None takes the GPU
        where CTranslate2 sees one; `cpu_threads` None leaves the number to CTranslate2 (4, or OMP_NUM_THREADS).
        """
        import ctranslate2
        from sentencepiece import SentencePieceProcessor

        converted = folder / "ct2"
        if not (converted / "model.bin").is_file():
            raise MissingWeights(
                "these weights were not converted for CTranslate2.",
                where=str(folder),
                remedy="Pull them again, or choose the engine transformers.",
            )
        self.source, self.target = source, target
        device = device or ("cuda" if ctranslate2.get_cuda_device_count() else "cpu")
        self._model: Any = ctranslate2.Translator(
            str(converted),
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            intra_threads=cpu_threads or 0,
        )
        self._encoder: Any = SentencePieceProcessor(model_file=str(converted / "source.spm"))
        self._decoder: Any = SentencePieceProcessor(model_file=str(converted / "target.spm"))
        config = json.loads((converted / "config.json").read_text(encoding="utf-8"))
        self._head = [prefix] if prefix else []
        self._tail = [] if config.get("add_source_eos") else [_END]

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        """See `Translator.translate`. ValueError for less than one candidate."""
        if candidates < 1:
            raise ValueError(f"{candidates} candidates asked for; at least 1 can be given")
        plain = [normalise(sentence) for sentence in sentences]
        parts = [split_to_fit(sentence, self._fits) if has_words(sentence) else [] for sentence in plain]
        translated = iter(self._parts([part for of_sentence in parts for part in of_sentence], candidates))
        return [
            joined([next(translated) for _ in of_sentence], candidates)
            if of_sentence
            else (Hypothesis(text=sentence, score=0.0),)
            for sentence, of_sentence in zip(plain, parts, strict=True)
        ]

    def go_on(self, beginnings: Sequence[tuple[str, str]], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        """See `Steerable.go_on`. Sentences beyond the network's length lose their ends."""
        return self._beam(
            [normalise(sentence) for sentence, _ in beginnings],
            candidates,
            beginnings=[self._decoder.encode(normalise(beginning), out_type=str) for _, beginning in beginnings],
        )

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """See `Steerable.score`: the mean log probability of the tokens, the end of the sentence among them."""
        if not pairs:
            return []
        results = self._model.score_batch(
            [self._tokens(normalise(sentence)) for sentence, _ in pairs],
            [self._decoder.encode(text, out_type=str) for _, text in pairs],
            max_batch_size=_BATCH_TOKENS,
            batch_type="tokens",
        )
        return [fmean(result.log_probs) for result in results]

    def _tokens(self, part: str) -> list[str]:
        return [*self._head, *self._encoder.encode(part, out_type=str), *self._tail]

    def _fits(self, part: str) -> bool:
        return len(self._encoder.encode(part, out_type=str)) <= MAX_SOURCE_TOKENS

    def _parts(self, parts: Sequence[str], candidates: int) -> list[tuple[Hypothesis, ...]]:
        found = self._beam(parts, candidates)
        looping = [
            index for index, (part, best) in enumerate(zip(parts, found, strict=True)) if is_loop(best[0].text, part)
        ]
        again = self._beam([parts[index] for index in looping], candidates, no_repeat_ngram_size=3)
        for index, better in zip(looping, again, strict=True):
            found[index] = better
        return found

    def _beam(
        self,
        parts: Sequence[str],
        candidates: int,
        *,
        no_repeat_ngram_size: int = 0,
        beginnings: list[list[str]] | None = None,
    ) -> list[tuple[Hypothesis, ...]]:
        if not parts:
            return []
        tokens = [self._tokens(part) for part in parts]
        results = self._model.translate_batch(
            tokens,
            target_prefix=beginnings,
            max_batch_size=_BATCH_TOKENS,
            batch_type="tokens",
            beam_size=max(BEAM_SIZE, candidates),
            num_hypotheses=candidates,
            length_penalty=1.0,
            # Room for a language that takes many more tokens, and an end to what does not end by itself.
            max_decoding_length=3 * max(map(len, tokens)) + 16,
            no_repeat_ngram_size=no_repeat_ngram_size,
            disable_unk=True,
            return_scores=True,
        )
        return [
            unique(
                (
                    Hypothesis(text=self._decoder.decode(pieces).strip(), score=float(score))
                    for pieces, score in zip(result.hypotheses, result.scores, strict=True)
                ),
                candidates,
            )
            for result in results
        ]

"""OPUS-MT Marian models through transformers, in full precision: the reference that CTranslate2 is held to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manifests.records import Hypothesis
from models.translation.sentences import has_words, joined, normalise, split_to_fit, unique

BEAM_SIZE = 4
MAX_SOURCE_TOKENS = 160


class MarianTranslator:
    """`MarianMTModel` with beam search, one sentence at a time, so that no padding touches a result."""

    experimental = False

    def __init__(
        self, folder: Path, *, source: str, target: str, prefix: str | None = None, device: str | None = None
    ) -> None:
        """Load `folder`/hf (the transformers layout). `prefix` and `device` as in `CTranslateTranslator`."""
        import torch
        from transformers import MarianMTModel, MarianTokenizer

        self.source, self.target = source, target
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        model: Any = MarianMTModel.from_pretrained(folder / "hf", local_files_only=True)
        self._model = model.to(self._device).eval()
        self._tokenizer: Any = MarianTokenizer.from_pretrained(folder / "hf", local_files_only=True)
        self._head = f"{prefix} " if prefix else ""

    def translate(self, sentences: Sequence[str], *, candidates: int = 1) -> list[tuple[Hypothesis, ...]]:
        """See `Translator.translate`. ValueError for less than one candidate."""
        if candidates < 1:
            raise ValueError(f"{candidates} candidates asked for; at least 1 can be given")
        return [self._sentence(normalise(sentence), candidates) for sentence in sentences]

    def _sentence(self, sentence: str, candidates: int) -> tuple[Hypothesis, ...]:
        if not has_words(sentence):
            return (Hypothesis(text=sentence, score=0.0),)
        parts = split_to_fit(sentence, self._fits)
        return joined([self._part(part, candidates) for part in parts], candidates)

    def _fits(self, part: str) -> bool:
        return len(self._tokenizer.tokenize(part)) <= MAX_SOURCE_TOKENS

    def _part(self, part: str, candidates: int) -> tuple[Hypothesis, ...]:
        import torch

        inputs = self._tokenizer(self._head + part, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            found = self._model.generate(
                **inputs,
                num_beams=max(BEAM_SIZE, candidates),
                num_return_sequences=candidates,
                do_sample=False,
                length_penalty=1.0,
                max_new_tokens=3 * inputs.input_ids.shape[1] + 16,
                max_length=None,
                output_scores=True,
                return_dict_in_generate=True,
            )
        texts = self._tokenizer.batch_decode(found.sequences, skip_special_tokens=True)
        scores = found.sequences_scores.tolist()
        return unique(
            (Hypothesis(text=text.strip(), score=score) for text, score in zip(texts, scores, strict=True)), candidates
        )

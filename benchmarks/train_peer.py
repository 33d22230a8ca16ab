"""How fast a peer trains, in its own loop: run inside that peer's environment.

    peers-dictionary-learning/bin/python benchmarks/train_peer.py dictionary-learning
    peers-sae-lens/bin/python benchmarks/train_peer.py sae-lens
    peers-overcomplete/bin/python benchmarks/train_peer.py overcomplete
    peers-eai-sparsify/bin/python benchmarks/train_peer.py eai-sparsify

200,000 bins of 200 Poisson units (z-scored), 2,048 latents, k = 32, batch 1,024, 2 threads; batch
top-k, per-row top-k for eai-sparsify, which has no other. Everything is the peer's default
(optimiser, auxiliary loss, dead bookkeeping, logging) and its own training loop, called as its
documentation does. Only the data source is ours, an index gather from one array for every peer
(kinder than the DataLoader that some document): it notes the clocks each time the loop asks for a
batch, so that a step is what lies between two requests. The last line printed is JSON: medians
over the steps after the warm-up. A second argument is another number of threads, a third,
``profile``, adds the costliest operators (and their overhead). Waiting threads spin: when other
processes share the cores, CPU seconds of two threads rise too (``load`` tells), those of one thread
hardly.
"""

import contextlib
import importlib.machinery
import json
import os
import statistics
import sys
import tempfile
import time
import types
from importlib.metadata import version

import numpy as np
import torch

N_BINS, N_UNITS, N_LATENTS, K, BATCH = 200_000, 200, 2_048, 32, 1_024
WARM_UP, STEPS = 20, 120
LONG = 10_000  # steps that the schedules are laid out for


def counts():
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 2.0, N_UNITS)
    found = rng.poisson(rates, (N_BINS, N_UNITS)).astype(np.float32)
    return torch.from_numpy((found - found.mean(axis=0)) / found.std(axis=0))


class Clock:
    """Called by the data source at every request for a batch."""

    def __init__(self, profile):
        self.cpu, self.wall, self.n = [], [], 0
        self.profiler = torch.profiler.profile() if profile else None

    def tick(self):
        if self.n == WARM_UP and self.profiler:
            self.profiler.start()
        if self.n >= WARM_UP:
            self.cpu.append(time.process_time())
            self.wall.append(time.perf_counter())
        self.n += 1

    def report(self):
        if self.profiler:
            self.profiler.stop()
        cpu, wall = np.diff(self.cpu), np.diff(self.wall)
        step = statistics.median(cpu)
        found = {
            "steps": len(cpu),
            "threads": torch.get_num_threads(),
            "load": round(os.getloadavg()[0], 2),
            "cpu_ms_per_step": round(step * 1e3, 2),
            "cpu_ms_quartiles": [round(float(q) * 1e3, 2) for q in np.quantile(cpu, [0.25, 0.75])],
            "wall_ms_per_step": round(statistics.median(wall) * 1e3, 2),
            "cpu_s_per_1000_samples": round(step / BATCH * 1e3, 5),
            "samples_per_cpu_s": round(BATCH / step),
        }
        if self.profiler:
            rows = self.profiler.key_averages()
            rows = sorted(rows, key=lambda row: row.self_cpu_time_total, reverse=True)
            total = sum(row.self_cpu_time_total for row in rows)
            # shares, since the profiler's clock is the wall's
            found["share_of_operators"] = {
                row.key: round(row.self_cpu_time_total / total, 3) for row in rows[:8]
            }
        return found


class Batches:
    """Shuffled batches for ever, or ``n`` of them."""

    def __init__(self, data, clock, n=None):
        self.data, self.clock, self.n = data, clock, n

    def __iter__(self):
        made = 0
        while True:
            for index in torch.randperm(len(self.data)).split(BATCH):
                self.clock.tick()
                if len(index) < BATCH:
                    break
                if made == self.n:
                    return
                yield self.data[index]
                made += 1


def dictionary_learning(data, clock):
    from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
    from dictionary_learning.training import trainSAE

    config = dict(trainer=BatchTopKTrainer, steps=LONG, activation_dim=N_UNITS, device="cpu",
                  dict_size=N_LATENTS, k=K, layer=0, lm_name="none", seed=0)  # fmt: skip
    trainSAE(Batches(data, clock), [config], steps=WARM_UP + STEPS, device="cpu")


def sae_lens(data, clock):
    from sae_lens import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig, SAETrainer
    from sae_lens.config import SAETrainerConfig

    sae = BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(d_in=N_UNITS, d_sae=N_LATENTS, k=K))
    config = SAETrainerConfig(
        total_training_samples=(WARM_UP + STEPS) * BATCH, train_batch_size_samples=BATCH,
        lr_end=3e-5,
    )  # fmt: skip
    SAETrainer(config, sae, data_provider=iter(Batches(data, clock))).fit()
    clock.tick()


def overcomplete(data, clock, monitoring=1):
    # the package's first lines import its vision half (torchvision, timm); its coders need none of
    # it, so the package is entered without running those lines
    package = types.ModuleType("overcomplete")
    package.__path__ = importlib.machinery.PathFinder.find_spec(
        "overcomplete"
    ).submodule_search_locations
    sys.modules["overcomplete"] = package
    from overcomplete.sae import BatchTopKSAE, train_sae

    def criterion(x, x_hat, _pre_codes, _codes, _dictionary):
        return (x - x_hat).square().mean()

    sae = BatchTopKSAE(N_UNITS, N_LATENTS, top_k=K * BATCH)
    optimiser = torch.optim.Adam(sae.parameters(), lr=5e-4)
    batches = Batches(data, clock, n=WARM_UP + STEPS)
    train_sae(sae, batches, criterion, optimiser, nb_epochs=1, monitoring=monitoring)


def eai_sparsify(data, clock):
    from sparsify import SparseCoderConfig, TrainConfig, Trainer
    from transformers import PretrainedConfig, PreTrainedModel

    class Recording(PreTrainedModel):
        """A 'language model' whose tokens are bins and whose only layer looks the bin up."""

        config_class = PretrainedConfig

        def __init__(self):
            super().__init__(PretrainedConfig())
            self.bins = torch.nn.Embedding.from_pretrained(data)

        @property
        def dummy_inputs(self):
            return {"input_ids": torch.zeros(1, 2, dtype=torch.long)}

        def forward(self, input_ids):
            return self.bins(input_ids)

    class Tokens(torch.utils.data.Dataset):
        order = torch.randperm(len(data))[: len(data) // BATCH * BATCH].view(-1, BATCH)

        def __len__(self):
            return WARM_UP + STEPS

        def __getitem__(self, i):
            clock.tick()
            return {"input_ids": self.order[i]}

    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            SparseCoderConfig(num_latents=N_LATENTS, k=K), batch_size=1, hookpoints=["bins"],
            log_to_wandb=False, save_dir=folder, save_every=LONG,
        )  # fmt: skip
        Trainer(config, Tokens(), Recording()).fit()


PEERS = {
    "dictionary-learning": dictionary_learning,
    "sae-lens": sae_lens,
    "overcomplete": overcomplete,
    "eai-sparsify": eai_sparsify,
}


def main(name, threads=2, profile=None):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    data = counts()
    clock = Clock(profile == "profile")
    with contextlib.redirect_stdout(sys.stderr):
        PEERS[name](data, clock)
    rule = "top-k of each row" if name == "eai-sparsify" else "batch top-k"
    words = {"peer": name, "version": version(name), "torch": torch.__version__, "rule": rule}
    print(json.dumps(words | clock.report()))


if __name__ == "__main__":
    main(*sys.argv[1:])

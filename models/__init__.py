"""Models: one folder a capability, arrays in, records out; no URIs, no Prefect, no global settings.

Each capability folder has the same shape: `contract.py` (the Protocol and what it returns), one file an adapter,
`engines.py` (the table of adapters and `load(name)`, which keeps one instance a process). `wav2lip/`, `syncnet/` and
`s3fd/` hold networks with the state-dict names of their papers' releases. `weights/` holds the one table of weights.
"""

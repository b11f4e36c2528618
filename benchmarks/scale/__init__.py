"""An archive from bucket to bucket at scale: the real orchestration over models that only take their time."""

"""Records of a dub: time, the rows of the manifests, their keys and the errors everything above may raise."""

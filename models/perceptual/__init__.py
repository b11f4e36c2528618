"""Distances between pictures as people see them: a frozen VGG16, and LPIPS on top of it."""

from models.perceptual.engines import load_lpips, load_vgg

__all__ = ["load_lpips", "load_vgg"]

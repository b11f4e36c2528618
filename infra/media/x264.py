"""What is asked of every x264 encoder: that the same pictures give the same bytes."""

REPEATABLE = "mbtree=0"
"""x264's macroblock tree is switched off: on a processor with AVX-512, the x264 of PyAV 18.1 gave other bytes in 1 to 8
of 100 encodings of the same pictures, with one thread too; without the tree, or held to AVX2, in none of 200. What it
saves is little here, where the picture that is encoded is short or still.
"""

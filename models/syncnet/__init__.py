"""SyncNet (Chung and Zisserman, "Out of time: automated lip sync in the wild", ACCV Workshops 2016).

The network behind the metrics LSE-D and LSE-C, the MFCCs that it hears, and the metrics.
"""
